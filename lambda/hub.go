//go:build !nosecurityhub

package main

import (
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"poolkeeper/lambda/notify"
)

func init() {
	newHub = func(a account) notify.Channel {
		return notify.Hub(securityhub.NewFromConfig(a.config("SECURITYHUB")), a.transport.Now)
	}
}
