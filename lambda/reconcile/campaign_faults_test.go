package reconcile_test

import (
	"time"

	"poolkeeper/lambda/cognitotest"
)

// A wrong is a way in which a call goes wrong: the calls to Cognito, to the ledger and to SNS alike.
type wrong struct {
	cognitotest.Fault
	lapses bool          // the time of the invocation is used up while nothing is answered
	passes time.Duration // so long does the call take
	kills  bool          // the process dies
}

func errored(code string, status int, applied bool) wrong {
	return wrong{Fault: cognitotest.Fault{Error: code, Message: "no", Status: status, Apply: applied}}
}

func answered(body string) wrong {
	return wrong{Fault: cognitotest.Fault{Body: []byte(body), Apply: true}}
}

func meanwhile(pool, _ map[string]any) { object(pool, "UserPoolTags")["meanwhile"] = "x" }

var wrongs = map[string]wrong{
	"throttled":                    errored("TooManyRequestsException", 0, false),
	"concurrent modification":      errored("ConcurrentModificationException", 0, false),
	"server fault before applying": errored("InternalErrorException", 500, false),
	"server fault after applying":  errored("InternalErrorException", 500, true),
	"access denied":                errored("AccessDeniedException", 0, false),
	"expired credentials":          errored("ExpiredTokenException", 0, false),
	"gone":                         errored("ResourceNotFoundException", 0, false),
	"refused":                      errored("InvalidParameterException", 0, false),
	"unknown error":                errored("BrandNewException", 0, false),
	"malformed JSON":               answered(`{"UserPool": <html>`),
	"an empty object":              answered(`{}`),
	"truncated body":               answered(`{"UserPool":{"Id":"eu-we`),
	"reset before applying":        {Fault: cognitotest.Fault{Drop: true}},
	"reset after applying":         {Fault: cognitotest.Fault{Drop: true, Apply: true}},
	"timeout before applying":      {Fault: cognitotest.Fault{Drop: true}, lapses: true},
	"timeout after applying":       {Fault: cognitotest.Fault{Drop: true, Apply: true}, lapses: true},
	"slow":                         {Fault: cognitotest.Fault{Delay: 3 * time.Millisecond}},
	"slower than the pool is held": {passes: 90 * time.Second},
	"an unknown member comes": {Fault: cognitotest.Fault{Then: func(s *cognitotest.Server) {
		s.Edit(poolID, func(pool, _ map[string]any) { pool["FutureThing"] = "new" })
	}}},
	"somebody changes another setting":         {Fault: cognitotest.Fault{Then: func(s *cognitotest.Server) { s.Edit(poolID, meanwhile) }}},
	"the service changes something on its own": {Fault: cognitotest.Fault{Change: meanwhile}},
	"killed before applying":                   {Fault: cognitotest.Fault{Drop: true}, kills: true},
	"killed after applying":                    {Fault: cognitotest.Fault{Drop: true, Apply: true}, kills: true},
}
