package cognitotest

import (
	"encoding/json"
	"strings"
	"time"

	"poolkeeper/baseline"
)

// An Actor is who makes a call.
type Actor struct {
	Kind      string // AssumedRole, IAMUser or Root
	ARN       string
	IssuerARN string // of the role, for AssumedRole
	SourceIP  string
	UserAgent string
}

// Event returns the event that EventBridge delivers for a call at a time: CloudTrail's record in its envelope, with the names of parameters
// spelt as CloudTrail spells them and message texts and secrets hidden.
func (s *Server) Event(call Call, actor Actor, when time.Time) []byte {
	identity := map[string]any{"type": actor.Kind, "arn": actor.ARN, "accountId": s.account, "principalId": "AROAEXAMPLEID000000001:" + actor.ARN[strings.LastIndexByte(actor.ARN, '/')+1:]}
	if actor.IssuerARN != "" {
		identity["sessionContext"] = map[string]any{
			"sessionIssuer": map[string]any{"type": "Role", "arn": actor.IssuerARN, "accountId": s.account, "userName": actor.IssuerARN[strings.LastIndexByte(actor.IssuerARN, '/')+1:]},
			"attributes":    map[string]any{"creationDate": when.Add(-time.Hour).UTC().Format(time.RFC3339), "mfaAuthenticated": "false"},
		}
	}
	var parameters any
	if request, err := decode(call.Body); err == nil {
		parameters = lowered(request, baseline.Settings())
	}
	event := map[string]any{
		"version": "0", "id": call.RequestID, "detail-type": "AWS API Call via CloudTrail", "source": "aws.cognito-idp",
		"account": s.account, "time": when.Add(2 * time.Second).UTC().Format(time.RFC3339), "region": s.region, "resources": []any{},
		"detail": map[string]any{
			"eventVersion": "1.11", "userIdentity": identity, "eventTime": when.UTC().Format(time.RFC3339), "eventSource": "cognito-idp.amazonaws.com",
			"eventName": call.Operation, "awsRegion": s.region, "sourceIPAddress": actor.SourceIP, "userAgent": actor.UserAgent,
			"requestParameters": parameters, "responseElements": nil, "requestID": call.RequestID, "eventID": "e" + call.RequestID[1:],
			"readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": s.account, "eventCategory": "Management",
		},
	}
	raw, err := json.Marshal(event)
	if err != nil {
		return nil
	}
	return raw
}

// lowered spells the names as CloudTrail does, and hides what is sensitive.
func lowered(object map[string]any, members []baseline.Member) map[string]any {
	spelt := map[string]any{}
	for name, v := range object {
		var known baseline.Member
		for _, m := range members {
			if m.Name == name {
				known = m
			}
		}
		if inner, ok := v.(map[string]any); ok && known.Kind == baseline.Object {
			v = lowered(inner, known.Members)
		}
		if known.Sensitive {
			v = "HIDDEN_DUE_TO_SECURITY_REASONS"
		}
		spelt[lower(name)] = v
	}
	return spelt
}
