package cognitotest

import (
	_ "embed" // for rich.json
)

//go:embed rich.json
var richJSON []byte

// rich returns one of the documents of the rich pool, which is in a state that the fake takes when it is echoed.
func rich(name string) any {
	all, err := decode(richJSON)
	if err != nil {
		panic(err)
	}
	return all[name]
}

// Rich returns a pool of which every member is set to a value as production has it. Every message text and secret
// holds the word CANARY, so that a test can tell whether one leaked.
func Rich() (userPool, mfaConfig map[string]any) {
	return asObject(rich("userPool")), asObject(rich("mfaConfig"))
}

// RichClient is the id of the client web-app that PutRich plants.
const RichClient = "4rich2client8of0web"

// PutRich plants a pool with everything that there is: Rich, its risk configuration and logs, and two clients,
// RichClient and "mobile", of which the former has a risk configuration of its own.
func (s *Server) PutRich(id string) {
	pool, mfa := Rich()
	s.Put(id, pool, mfa)
	s.PutRisk(id, "", asObject(rich("risk")))
	s.PutRisk(id, RichClient, asObject(rich("risk")))
	logs, _ := rich("logs").([]any)
	s.PutLogs(id, logs)
	s.PutClient(id, RichClient, asObject(rich("client")))
	mobile := asObject(rich("client"))
	mobile["ClientName"] = "mobile-app"
	mobile["ExplicitAuthFlows"] = []any{"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
	delete(mobile, "ClientSecret")
	delete(mobile, "RefreshTokenRotation")
	s.PutClient(id, "mobile", mobile)
}
