//go:build nosecurityhub

package main

import "poolkeeper/lambda/notify"

// hubLinked reports whether this build can send to Security Hub. Without it the function is smaller and starts faster.
// ReadConfig refuses a configuration that asks for it.
const hubLinked = false

func hubChannels(account) []notify.Channel { return nil }
