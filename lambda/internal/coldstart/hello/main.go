// Command hello is the smallest function that the runtime library allows. The start of our function is compared with
// it.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() {
	lambda.Start(func() error { return nil })
}
