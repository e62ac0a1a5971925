package main

import (
	"strings"
	"testing"
)

// TestNames has texts that are a name, an ARN or a URL of each kind, and texts that are not.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is      func(string) bool
		yes, no []string
	}{
		"role": {isRole,
			[]string{"arn:aws:iam::111122223333:role/poolkeeper",
				"arn:aws-us-gov:iam::111122223333:role/service/path/pool+keeper=,.@-_"},
			[]string{"poolkeeper", "arn:aws:iam::111122223333:user/x", "arn:aws:iam:eu-west-1:111122223333:role/x",
				"arn:aws:iam::11112222333:role/x", "arn:aws:iam::111122223333:role/",
				"arn:aws:iam::111122223333:role/a b", "arn::iam::111122223333:role/x"}},
		"topic": {isTopic,
			[]string{"arn:aws:sns:eu-west-1:111122223333:topic", "arn:aws-cn:sns:cn-north-1:111122223333:A_b-1"},
			[]string{"topic", "arn:aws:sns:eu-west-1:111122223333:topic.fifo", "arn:aws:sns::111122223333:topic",
				"arn:aws:sns:eu-west-1:1111222233333:topic", "arn:aws:sqs:eu-west-1:111122223333:topic",
				"arn:aws:sns:eu-west-1:111122223333:topic:subscription"}},
		"table": {isTable,
			[]string{"ledger", "a.b", strings.Repeat("t", 255),
				"arn:aws:dynamodb:eu-west-1:111122223333:table/pool.keeper-1_x"},
			[]string{"ab", strings.Repeat("t", 256), "a b", "arn:aws:dynamodb:eu-west-1:111122223333:table/ab",
				"arn:aws:dynamodb:eu-west-1:111122223333:index/ledger",
				"arn:aws:dynamodb:eu-west-1:x:table/ledger", "tåble"}},
		"bus": {isBus,
			[]string{"default", "aws.partner/example.com/1", "arn:aws:events:eu-west-1:111122223333:event-bus/default"},
			[]string{"", "a bus", "arn:aws:events:eu-west-1:111122223333:rule/default",
				"arn:aws:events:eu-west-1:111122223333:event-bus/"}},
		"queue URL": {isQueueURL,
			[]string{"https://sqs.eu-west-1.amazonaws.com/111122223333/Stack-Changes_1",
				"http://localhost:4566/000000000000/Scans", "http://127.0.0.1:5000/123456789012/Scans",
				"http://[::1]:5000/1/Scans"},
			[]string{"", "Scans", "arn:aws:sqs:eu-west-1:111122223333:Scans", "http://example.com/1/Scans", "https:///1/Scans",
				"https://sqs.eu-west-1.amazonaws.com/", "https://sqs.eu-west-1.amazonaws.com/1/Scans?a=b",
				"https://user@sqs.eu-west-1.amazonaws.com/1/Scans", "ftp://localhost/1/Scans", "https://x/1/a b"}},
	} {
		for _, text := range c.yes {
			if !c.is(text) {
				t.Errorf("%q is not a %s", text, name)
			}
		}
		for _, text := range c.no {
			if c.is(text) {
				t.Errorf("%q is a %s", text, name)
			}
		}
	}
}
