// Package conformance asks the Cognito API, with throw-away user pools, whether the facts hold on which poolkeeper
// rests. The facts are in facts.yaml; the function does not link this package.
package conformance
