package cognitotest

import (
	"cmp"
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

// Event returns the event that EventBridge delivers for a call at a time: CloudTrail's record in its envelope, with
// the names of parameters spelt as CloudTrail spells them and message texts and secrets hidden. The event of a call
// that this server refused says so.
func (s *Server) Event(call Call, actor Actor, when time.Time) []byte {
	detail := object{
		"eventVersion": "1.11", "userIdentity": s.identity(actor, when), "eventTime": when.UTC().Format(time.RFC3339),
		"eventSource": "cognito-idp.amazonaws.com",
		"eventName":   call.Operation, "awsRegion": s.region, "sourceIPAddress": actor.SourceIP, "userAgent": actor.UserAgent,
		"requestParameters": nil, "responseElements": nil, "requestID": call.RequestID, "eventID": "e" +
			strings.TrimPrefix(call.RequestID, "0"),
		"readOnly":  !strings.HasPrefix(call.Operation, "Set") && !strings.HasPrefix(call.Operation, "Update"),
		"eventType": "AwsApiCall", "managementEvent": true,
		"recipientAccountId": s.account, "eventCategory": "Management",
		"tlsDetails": object{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
			"clientProvidedHostHeader": "cognito-idp." + s.region + ".amazonaws.com"},
	}
	if request, err := decode(call.Body); err == nil {
		detail["requestParameters"] = spell(request, parameters())
	}
	if call.failed != nil {
		detail["errorCode"], detail["errorMessage"], detail["responseElements"] = call.failed.Code, call.failed.Message, nil
	}
	raw, err := json.Marshal(object{
		"version": "0", "id": call.RequestID, "detail-type": "AWS API Call via CloudTrail", "source": "aws.cognito-idp",
		"account": s.account, "time": when.Add(2 * time.Second).UTC().Format(time.RFC3339), "region": s.region,
		"resources": []any{}, "detail": detail,
	})
	if err != nil {
		return nil
	}
	return raw
}

// identity is the userIdentity of a record. Only a role's session has an issuer.
func (s *Server) identity(actor Actor, when time.Time) object {
	name := lastPart(actor.ARN)
	principals := map[string]string{"IAMUser": "AIDAEXAMPLEID000000002", "Root": s.account}
	session := object{"attributes": object{"creationDate": when.Add(-time.Hour).UTC().Format(time.RFC3339),
		"mfaAuthenticated": "false"}}
	identity := object{"type": actor.Kind, "arn": actor.ARN, "accountId": s.account, "sessionContext": session,
		"accessKeyId": "ASIAEXAMPLEKEY000001",
		"principalId": cmp.Or(principals[actor.Kind], "AROAEXAMPLEID000000001:"+name)}
	if actor.Kind == "IAMUser" {
		identity["userName"] = name
	}
	if actor.IssuerARN != "" {
		session["sessionIssuer"] = object{"type": "Role", "principalId": "AROAEXAMPLEID000000001",
			"arn": actor.IssuerARN, "accountId": s.account, "userName": lastPart(actor.IssuerARN)}
	}
	return identity
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// parameters are the members of all write calls.
func parameters() baseline.Member {
	all := baseline.Member{Kind: baseline.Object}
	for _, document := range baseline.Documents() {
		all.Members = append(all.Members, document.Members...)
	}
	return all
}

// spell spells a value as CloudTrail does, and hides what is sensitive. The keys of a map are values, not names, and
// stay as they are.
func spell(v any, m baseline.Member) any {
	if m.Sensitive {
		return "HIDDEN_DUE_TO_SECURITY_REASONS"
	}
	elem := baseline.Member{}
	if m.Elem != nil {
		elem = *m.Elem
	}
	switch v := v.(type) {
	case object:
		spelt := object{}
		for name, e := range v {
			member := elem
			if m.Kind != baseline.Map {
				member = named(m.Members, name)
				name = lower(name)
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
	default:
		return v
	}
}

// named returns the member of that name, or an empty one.
func named(members []baseline.Member, name string) baseline.Member {
	if i := slices.IndexFunc(members, func(m baseline.Member) bool { return m.Name == name }); i >= 0 {
		return members[i]
	}
	return baseline.Member{}
}
