package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) permissions(ctx context.Context, _ []string) error {
	pools, err := c.connect(ctx)
	if err != nil {
		return err
	}
	ids, err := list(ctx, pools)
	if err != nil {
		return err
	}
	roles, want := map[string]int{}, userpool.Want{Documents: []baseline.DocumentName{baseline.UserPool}}
	for _, id := range ids {
		state, err := c.read(ctx, pools, id, want)
		if err != nil {
			return err
		}
		for _, path := range []string{"SmsConfiguration.SnsCallerArn", "SmsConfiguration.EumsSms.CallerArn"} {
			if role, _ := baseline.ValueAt(state.Own(), path).(string); role != "" {
				roles[role]++
			}
		}
	}
	text := ""
	names := slices.Sorted(maps.Keys(roles))
	for _, role := range names {
		text += fmt.Sprintf("%s, of %s\n", report.Value(role), counted(roles[role], "user pool"))
	}
	text += "-c smsRoles=" + cmp.Or(baseline.Legible(strings.Join(names, ",")), "none")
	return c.print(stream.OfSummary("smsRoles", roles, text))
}
