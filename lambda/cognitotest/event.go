package cognitotest

import (
	"encoding/json"
	"slices"
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

// Event returns the event of a call in account 111122223333 and Region eu-west-1, as (*Server).Event does.
func Event(call Call, actor Actor, when time.Time) []byte {
	return New(Contract).Event(call, actor, when)
}

// Event returns the event that EventBridge delivers for a call at a time: CloudTrail's record in its envelope, with
// the names of parameters spelt as CloudTrail spells them and message texts and secrets hidden. The event of a call
// that this server refused says so.
func (s *Server) Event(call Call, actor Actor, when time.Time) []byte {
	detail := map[string]any{
		"eventVersion": "1.11", "userIdentity": s.identity(actor, when), "eventTime": when.UTC().Format(time.RFC3339),
		"eventSource": "cognito-idp.amazonaws.com",
		"eventName":   call.Operation, "awsRegion": s.region, "sourceIPAddress": actor.SourceIP, "userAgent": actor.UserAgent,
		"requestParameters": nil, "responseElements": nil, "requestID": call.RequestID, "eventID": "e" +
			strings.TrimPrefix(call.RequestID, "0"),
		"readOnly": readOnly(call.Operation), "eventType": "AwsApiCall", "managementEvent": true,
		"recipientAccountId": s.account, "eventCategory": "Management",
		"tlsDetails": map[string]any{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
			"clientProvidedHostHeader": "cognito-idp." + s.region + ".amazonaws.com"},
	}
	if request, err := decode(call.Body); err == nil {
		detail["requestParameters"] = spellObject(request, members())
	}
	if call.Operation == "CreateUserPool" && call.PoolID != "" {
		detail["responseElements"] = map[string]any{"userPool": map[string]any{"id": call.PoolID, "arn": s.arn(call.PoolID)}}
	}
	if call.ClientID != "" {
		detail["responseElements"] = map[string]any{"userPoolClient": map[string]any{"clientId": call.ClientID,
			"userPoolId": call.PoolID}}
	}
	if failed := s.failure(call); failed != nil {
		detail["errorCode"], detail["errorMessage"], detail["responseElements"] = failed.Code, failed.Message, nil
	}
	raw, err := json.Marshal(map[string]any{
		"version": "0", "id": call.RequestID, "detail-type": "AWS API Call via CloudTrail", "source": "aws.cognito-idp",
		"account": s.account, "time": when.Add(2 * time.Second).UTC().Format(time.RFC3339), "region": s.region,
		"resources": []any{}, "detail": detail,
	})
	if err != nil {
		return nil
	}
	return raw
}

func (s *Server) failure(call Call) *failure {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.failed[call.RequestID]
}

// identity is the userIdentity of a record. Only a role's session has an issuer.
func (s *Server) identity(actor Actor, when time.Time) map[string]any {
	name := lastPart(actor.ARN)
	identity := map[string]any{"type": actor.Kind, "arn": actor.ARN, "accountId": s.account,
		"accessKeyId": "ASIAEXAMPLEKEY000001"}
	session := map[string]any{"attributes": map[string]any{"creationDate": when.Add(-time.Hour).UTC().Format(
		time.RFC3339), "mfaAuthenticated": "false"}}
	switch actor.Kind {
	case "IAMUser":
		identity["principalId"], identity["userName"] = "AIDAEXAMPLEID000000002", name
	case "Root":
		identity["principalId"] = s.account
	default:
		identity["principalId"] = "AROAEXAMPLEID000000001:" + name
	}
	if actor.IssuerARN != "" {
		session["sessionIssuer"] = map[string]any{"type": "Role", "principalId": "AROAEXAMPLEID000000001",
			"arn": actor.IssuerARN, "accountId": s.account,
			"userName": lastPart(actor.IssuerARN)}
	}
	identity["sessionContext"] = session
	return identity
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func readOnly(operation string) bool {
	for _, verb := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// members are those of all write calls, and the tags of TagResource.
func members() []baseline.Member {
	all := []baseline.Member{{Name: "Tags", Kind: baseline.Map}}
	for _, document := range baseline.Documents() {
		all = append(all, document.Members...)
	}
	return all
}

// spellObject spells the names of an object's members as CloudTrail does, and hides what is sensitive.
func spellObject(object map[string]any, members []baseline.Member) map[string]any {
	spelt := map[string]any{}
	for name, v := range object {
		var known baseline.Member
		if i := slices.IndexFunc(members, func(m baseline.Member) bool { return m.Name == name }); i >= 0 {
			known = members[i]
		}
		spelt[lower(name)] = spell(v, known)
	}
	return spelt
}

// spell spells a value. The keys of a map are values, not names, and stay as they are.
func spell(v any, m baseline.Member) any {
	if m.Sensitive {
		return "HIDDEN_DUE_TO_SECURITY_REASONS"
	}
	var elem baseline.Member
	if m.Elem != nil {
		elem = *m.Elem
	}
	switch v := v.(type) {
	case map[string]any:
		if m.Kind != baseline.Map {
			return spellObject(v, m.Members)
		}
		all := map[string]any{}
		for key, e := range v {
			all[key] = spell(e, elem)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, e := range v {
			all[i] = spell(e, elem)
		}
		return all
	default:
		return v
	}
}
