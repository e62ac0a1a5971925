package main

import (
	"context"
	"fmt"
	"time"

	"poolkeeper/lambda/cognitotest"
)

// servedPool is the pool that the events in lambda/event/testdata name.
const servedPool = "eu-west-1_AbCdEf123"

// serveDemo starts the fake as a server, with one pool as an intruder left it, and prints each call that it takes,
// until the command is interrupted.
func (c *cli) serveDemo(ctx context.Context, address string) error {
	fake := cognitotest.New(cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	pool["UserPoolAddOns"] = map[string]any{"AdvancedSecurityMode": "OFF"}
	fake.Put(servedPool, pool, mfa)
	if _, err := fake.StartOn(address); err != nil {
		return err
	}
	defer func() { _ = fake.Close() }()
	fmt.Fprintf(c.out, "A fake of Cognito listens on %s.\n"+
		"Its pool %s has deletion protection and threat protection off.\n", address, servedPool)
	for printed, ended := 0, false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-time.After(50 * time.Millisecond):
		}
		for calls := fake.Calls(); printed < len(calls); printed++ {
			fmt.Fprintf(c.out, "%s %s\n", calls[printed].Operation, calls[printed].PoolID)
		}
	}
	return nil
}
