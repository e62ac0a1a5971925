// Package eventbus puts events of ours onto an EventBridge bus, within the limits of PutEvents, and says which of them the bus did not take.
package eventbus
