//go:build !nosecurityhub

package main

import (
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"poolkeeper/lambda/notify"
)

// hubLinked reports whether this build can send to Security Hub.
const hubLinked = true

// hubChannels builds the channel to Security Hub if it is configured.
func hubChannels(a account) []notify.Channel {
	if !a.SecurityHub {
		return nil
	}
	return []notify.Channel{notify.Hub(securityhub.NewFromConfig(a.config("SECURITYHUB")), a.transport.Now)}
}
