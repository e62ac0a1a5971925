// Command raw is a function to compare the handling of an event with. For each event it makes the calls of a recorded
// one as plain POSTs, in parallel where possible, and ignores the responses.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

type call struct{ Target, Body string }

// A poster has the calls of each trip, which are made in parallel.
type poster [][]call

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10, ForceAttemptHTTP2: true}}

func main() {
	var p poster
	raw, err := os.ReadFile(os.Getenv("TRIPS"))
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(p)
}

// Invoke implements lambda.Handler.
func (p poster) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	for _, trip := range p {
		failed := make(chan error, len(trip))
		for _, c := range trip {
			go func() { failed <- post(ctx, c) }()
		}
		for range trip {
			if err := <-failed; err != nil {
				return nil, err
			}
		}
	}
	return []byte(`{"outcome":"posted"}`), nil
}

func post(ctx context.Context, c call) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("URL"), strings.NewReader(c.Body))
	if err != nil {
		return err
	}
	request.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {c.Target}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", c.Target, response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
