package ledger_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
)

// accepting is a client of DynamoDB that accepts every record and sends nothing.
type accepting struct{ ledger.API }

func (accepting) PutItem(
	context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	return &dynamodb.PutItemOutput{}, nil
}

// BenchmarkPut writes the record of a rich pool, with its state and the body of a write.
func BenchmarkPut(b *testing.B) {
	pool, mfa := cognitotest.Rich()
	r := record("eu-west-1_Bench", noon)
	r.Before.Documents = map[baseline.DocumentName]map[string]any{baseline.UserPool: pool, baseline.MfaConfig: mfa}
	body, err := json.Marshal(pool)
	if err != nil {
		b.Fatal(err)
	}
	r.Sent[0].Body = body
	l := ledger.Table{Client: accepting{}, Name: "ledger"}
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Put(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
