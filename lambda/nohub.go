//go:build nosecurityhub

package main

import "poolkeeper/lambda/notify"

// hubLinked says that this build can tell Security Hub: it cannot, and is the smaller and the quicker to start for it. ReadConfig refuses to have it told.
const hubLinked = false

func hubChannels(account) []notify.Channel { return nil }
