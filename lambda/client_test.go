package main

import (
	"slices"
	"testing"

	"poolkeeper/lambda/notify"
)

// TestChannels: a client is made for what is configured and for nothing else.
func TestChannels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment map[string]string
		want        []string
	}{
		"nothing": {nil, nil},
		"off":     {map[string]string{"SECURITY_HUB": "off"}, nil},
		"a topic": {map[string]string{"TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:topic"}, []string{"SNS"}},
		"a bus":   {map[string]string{"EVENT_BUS": "audit"}, []string{"EventBridge"}},
		"a hub":   {map[string]string{"SECURITY_HUB": "on"}, []string{"Security Hub"}},
		"all":     {map[string]string{"TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:topic", "EVENT_BUS": "audit", "SECURITY_HUB": "on"}, []string{"SNS", "EventBridge", "Security Hub"}},
	} {
		config, err := ReadConfig(environment(c.environment), files(nil))
		if err != nil {
			t.Fatal(err)
		}
		a, err := newAccount(config)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, channel := range newChannels(a) {
			got = append(got, channel.Name())
			if topic, ok := channel.(notify.Topic); ok && (topic.Client == nil || topic.ARN != c.environment["TOPIC_ARN"]) {
				t.Errorf("%s: %+v", name, topic)
			}
			if bus, ok := channel.(notify.Bus); ok && (bus.Client == nil || bus.Bus != c.environment["EVENT_BUS"]) {
				t.Errorf("%s: %+v", name, bus)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
