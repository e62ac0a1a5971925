package cognitotest

import (
	"cmp"
	"encoding/json"
	"path"
	"strings"
	"time"

	"poolkeeper/baseline"
)

// An Actor is the caller of a call.
type Actor struct {
	ARN       string
	IssuerARN string // ARN of the role; "" for an IAM user
	SourceIP  string
	UserAgent string
}

// Event returns the event that EventBridge delivers for a call at a time: CloudTrail's record in its envelope, with
// CloudTrail's spelling of parameters and without message texts and secrets. For a call that this server rejected, it
// contains the error.
func (s *Server) Event(call Call, actor Actor, when time.Time) []byte {
	reads := !strings.HasPrefix(call.Operation, "Set") && !strings.HasPrefix(call.Operation, "Update")
	detail := object{
		"eventVersion": "1.11", "userIdentity": identity(actor), "eventTime": when.UTC().Format(time.RFC3339),
		"eventSource": "cognito-idp.amazonaws.com", "eventName": call.Operation, "awsRegion": region,
		"sourceIPAddress": actor.SourceIP, "userAgent": actor.UserAgent, "requestParameters": nil,
		"responseElements": nil, "requestID": call.RequestID, "eventID": "e" + strings.TrimPrefix(call.RequestID, "0"),
		"readOnly": reads, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account,
		"eventCategory": "Management",
	}
	if request := decode(call.Body); request != nil {
		var all baseline.Member
		for _, document := range baseline.Documents() {
			all.Members = append(all.Members, document.Members...)
		}
		detail["requestParameters"] = spell(request, all)
	}
	if call.failed != nil {
		detail["errorCode"], detail["errorMessage"] = call.failed.Code, call.failed.Message
	}
	raw, _ := json.Marshal(object{ // which can always be encoded
		"version": "0", "id": call.RequestID, "detail-type": "AWS API Call via CloudTrail", "source": "aws.cognito-idp",
		"account": account, "time": when.Add(2 * time.Second).UTC().Format(time.RFC3339), "region": region,
		"resources": []any{}, "detail": detail,
	})
	return raw
}

// identity returns the userIdentity of a record. Only role sessions have an issuer.
func identity(actor Actor) object {
	name := path.Base(actor.ARN)
	if actor.IssuerARN == "" {
		return object{"type": "IAMUser", "arn": actor.ARN, "accountId": account, "userName": name,
			"principalId": "AIDAEXAMPLEID000000002"}
	}
	const role = "AROAEXAMPLEID000000001"
	return object{"type": "AssumedRole", "arn": actor.ARN, "accountId": account, "principalId": role + ":" + name,
		"sessionContext": object{"sessionIssuer": object{"type": "Role", "principalId": role, "arn": actor.IssuerARN,
			"accountId": account, "userName": path.Base(actor.IssuerARN)}}}
}

// spell converts a value to CloudTrail's spelling and hides sensitive texts. The keys of a map are values, not names,
// and stay unchanged.
func spell(v any, m baseline.Member) any {
	if m.Sensitive {
		return "HIDDEN_DUE_TO_SECURITY_REASONS"
	}
	elem := *cmp.Or(m.Elem, &baseline.Member{})
	switch v := v.(type) {
	case object:
		spelt := object{}
		for name, e := range v {
			member := elem
			if m.Kind != baseline.Map && m.Name != "AcrConfiguration" { // which is a map in the API, too
				member, name = named(m.Members, name), lower(name)
			}
			spelt[name] = spell(e, member)
		}
		return spelt
	case []any:
		all := make([]any, len(v))
		for i, e := range v {
			all[i] = spell(e, elem)
		}
		return all
	}
	return v
}

func named(members []baseline.Member, name string) baseline.Member {
	if i := baseline.Index(members, name); i >= 0 {
		return members[i]
	}
	return baseline.Member{}
}
