//go:build !nosecurityhub

package main

import (
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"poolkeeper/lambda/notify"
)

// hubLinked says that this build can tell Security Hub.
const hubLinked = true

// hubChannels builds the channel to Security Hub, where it is configured.
func hubChannels(a account) []notify.Channel {
	if !a.SecurityHub {
		return nil
	}
	options := securityhub.Options{Region: a.Region, HTTPClient: a.transport, Credentials: a, BaseEndpoint: a.endpoint(hubService)}
	options.EndpointOptions.UseFIPSEndpoint, options.EndpointOptions.UseDualStackEndpoint = a.fips(), a.dualStack()
	return []notify.Channel{notify.Hub{Client: securityhub.New(options), Now: a.transport.Now}}
}
