package main

import (
	"strings"
	"testing"
)

// TestNames has what is a name or an ARN of each kind, and what is none.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is      func(string) bool
		yes, no []string
	}{
		"role": {isRole, []string{"arn:aws:iam::111122223333:role/poolkeeper", "arn:aws-us-gov:iam::111122223333:role/service/path/pool+keeper=,.@-_"},
			[]string{"poolkeeper", "arn:aws:iam::111122223333:user/x", "arn:aws:iam:eu-west-1:111122223333:role/x", "arn:aws:iam::11112222333:role/x", "arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role/a b", "arn::iam::111122223333:role/x"}},
		"topic": {isTopic, []string{"arn:aws:sns:eu-west-1:111122223333:topic", "arn:aws-cn:sns:cn-north-1:111122223333:A_b-1"},
			[]string{"topic", "arn:aws:sns:eu-west-1:111122223333:topic.fifo", "arn:aws:sns::111122223333:topic", "arn:aws:sns:eu-west-1:1111222233333:topic", "arn:aws:sqs:eu-west-1:111122223333:topic", "arn:aws:sns:eu-west-1:111122223333:topic:subscription"}},
		"table": {isTable, []string{"ledger", "a.b", strings.Repeat("t", 255), "arn:aws:dynamodb:eu-west-1:111122223333:table/pool.keeper-1_x"},
			[]string{"ab", strings.Repeat("t", 256), "a b", "arn:aws:dynamodb:eu-west-1:111122223333:table/ab", "arn:aws:dynamodb:eu-west-1:111122223333:index/ledger", "arn:aws:dynamodb:eu-west-1:x:table/ledger", "tåble"}},
		"bus": {isBus, []string{"default", "aws.partner/example.com/1", "arn:aws:events:eu-west-1:111122223333:event-bus/default"},
			[]string{"", "a bus", "arn:aws:events:eu-west-1:111122223333:rule/default", "arn:aws:events:eu-west-1:111122223333:event-bus/"}},
	} {
		for _, text := range c.yes {
			if !c.is(text) {
				t.Errorf("%q is no %s", text, name)
			}
		}
		for _, text := range c.no {
			if c.is(text) {
				t.Errorf("%q is a %s", text, name)
			}
		}
	}
}
