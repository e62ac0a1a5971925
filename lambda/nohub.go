//go:build nosecurityhub

package main

import "poolkeeper/lambda/notify"

// hubLinked reports whether this build can send to Security Hub. Without it the function is smaller and starts faster.
// ReadConfig rejects a configuration with Security Hub.
const hubLinked = false

func hubChannels(account) []notify.Channel { return nil }
