package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/runtimeapi"
)

// TestBootstrapKilledWhileTelling kills the built binary when it has written and is about to tell people. The retry writes nothing, and tells them of what was done.
func TestBootstrapKilledWhileTelling(t *testing.T) {
	t.Parallel()
	fake, cognito := served(t)
	weaken(fake)
	moto := mototest.Start(t)
	table := mototest.Table(t, moto, "ledger")
	var telling atomic.Bool
	called, messages := make(chan struct{}, 10), make(chan url.Values, 10)
	topic := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !telling.Load() {
			called <- struct{}{}
			<-r.Context().Done()
			return
		}
		form, _ := url.ParseQuery(string(body))
		messages <- form
		acceptPublish(w)
	}))
	t.Cleanup(topic.Close)
	environment := []string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER=" + cognito, "AWS_ENDPOINT_URL_DYNAMODB=" + moto, "LEDGER_TABLE=ledger",
		"AWS_ENDPOINT_URL_SNS=" + topic.URL, "TOPIC_ARN=arn:aws:sns:eu-west-1:111122223333:topic"}
	killed := startFunction(t, environment...)
	go func() {
		_, _ = killed.api.Invoke(t.Context(), runtimeapi.Invocation{Payload: payload(t, "update-user-pool"), RequestID: "11111111-2222-4333-8444-555555555555",
			FunctionARN: "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper"})
	}()
	<-called
	killed.stop()
	endHolds(t, table, "ledger")
	telling.Store(true)
	fake.ResetCalls()
	retry := startFunction(t, environment...)
	var out struct {
		Outcome string
		Earlier []struct{ Outcome, Record string }
	}
	if err := json.Unmarshal(retry.invoke(t, payload(t, "update-user-pool")).Payload, &out); err != nil || out.Outcome != "unchanged" || len(out.Earlier) != 1 || out.Earlier[0].Outcome != "remediated" {
		t.Errorf("%v: %+v", err, out)
	}
	output := retry.stop()
	for _, call := range fake.Calls() {
		if strings.HasPrefix(call.Operation, "Update") || strings.HasPrefix(call.Operation, "Set") {
			t.Errorf("the retry made a call of %s", call.Operation)
		}
	}
	if len(messages) != 1 || strings.Count(output, `"msg":"reconciled"`) != 2 || strings.Count(output, `"Remediated":1`) != 1 {
		t.Fatalf("%d messages\n%s", len(messages), output)
	}
	if message := (<-messages).Get("Message"); !strings.Contains(message, "DeletionProtection: was INACTIVE, required ACTIVE") || !strings.Contains(message, "are exactly what they were") {
		t.Errorf("%s", message)
	}
}

// endHolds lets the time pass for which anything in the table is held.
func endHolds(t *testing.T, client *dynamodb.Client, table string) {
	t.Helper()
	all, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table)})
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for _, item := range all.Items {
		if _, held := item["holder"]; !held {
			continue
		}
		item["until"] = &types.AttributeValueMemberN{Value: "1"}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}); err != nil {
			t.Fatal(err)
		}
		ended++
	}
	if ended != 2 {
		t.Fatalf("%d things are held, not the event and its pool", ended)
	}
}
