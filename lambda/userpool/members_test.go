package userpool

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/baseline"
)

// TestTableKnowsTheSDK compares the member table with the SDK's types of the calls: every member, its name, shape and
// enum. A member that only the table has must be marked as newer than the SDK.
func TestTableKnowsTheSDK(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		document    baseline.DocumentName
		read, write any
	}{
		{baseline.UserPool, types.UserPoolType{}, idp.UpdateUserPoolInput{}},
		{baseline.MfaConfig, idp.GetUserPoolMfaConfigOutput{}, idp.SetUserPoolMfaConfigInput{}},
		{baseline.RiskConfiguration, types.RiskConfigurationType{}, idp.SetRiskConfigurationInput{}},
		{baseline.LogDelivery, types.LogDeliveryConfigurationType{}, idp.SetLogDeliveryConfigurationInput{}},
		{baseline.AppClient, types.UserPoolClientType{}, idp.UpdateUserPoolClientInput{}},
	} {
		t.Run(string(c.document), func(t *testing.T) {
			t.Parallel()
			table, _ := c.document.Table()
			read, write := map[string]shape{}, map[string]shape{}
			readOnly := map[string]bool{}
			for _, m := range table.Members {
				describe(m, readName(&m), read)
				if readOnly[m.Name] = m.Trip == baseline.ReadOnly; !readOnly[m.Name] {
					describe(m, m.Name, write)
				}
			}
			sdk := map[string]shape{}
			walk(reflect.TypeOf(c.read), "", readOnly, sdk)
			if diff := cmp.Diff(sdk, read, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what is read (-SDK +table):\n%s", diff)
			}
			sdk = map[string]shape{}
			walk(reflect.TypeOf(c.write), "", nil, sdk)
			delete(sdk, "UserPoolId")
			delete(sdk, "ClientId")
			if diff := cmp.Diff(sdk, write, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what is written (-SDK +table):\n%s", diff)
			}
		})
	}
}

type shape struct {
	Kind baseline.Kind // 0 of members that no call writes: only their name counts
	Enum []string
}

// describe adds the shape of a member of the table and of all below it, but for what the SDK does not have.
func describe(m baseline.Member, path string, into map[string]shape) {
	enum := slices.DeleteFunc(slices.Sorted(slices.Values(m.Enum)), func(v string) bool {
		return slices.Contains(newerValues, v)
	})
	switch {
	case m.Newer:
	case m.Trip == baseline.ReadOnly:
		into[path] = shape{}
	case m.ByKey != "":
		into[path] = shape{Kind: baseline.List}
		describeElement(m, path+"[]", into)
	default:
		into[path] = shape{Kind: m.Kind, Enum: enum}
		if m.Elem != nil {
			describe(*m.Elem, path+"[]", into)
		}
		for _, below := range m.Members {
			describe(below, path+"."+below.Name, into)
		}
	}
}

// describeElement describes the elements of a list that the table has as an object: the names of its members are the
// values of the key.
func describeElement(m baseline.Member, path string, into map[string]shape) {
	var keys []string
	elements := map[string]shape{}
	for _, below := range m.Members {
		keys = append(keys, below.Name)
		one := map[string]shape{}
		describe(below, path, one)
		for at, s := range one {
			s.Enum = slices.Compact(slices.Sorted(slices.Values(append(s.Enum, elements[at].Enum...))))
			elements[at] = s
		}
	}
	slices.Sort(keys)
	elements[path+"."+m.ByKey] = shape{Kind: baseline.String, Enum: keys}
	maps.Copy(into, elements)
}

// newerValues are values of the table that the service takes and the SDK does not know yet.
var newerValues = []string{"ALLOW_TOKEN_EXCHANGE_DELEGATION", "ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "SOFTWARE_TOKEN"}

// walk adds the shape of an SDK's type and of all below it. Of the members that are only read, just the name counts.
func walk(kind reflect.Type, path string, readOnly map[string]bool, into map[string]shape) {
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	var s shape
	switch kind.Kind() {
	case reflect.Bool:
		s.Kind = baseline.Boolean
	case reflect.Int32, reflect.Int64:
		s.Kind = baseline.Integer
	case reflect.String:
		s.Kind = baseline.String
		if method := reflect.Zero(kind).MethodByName("Values"); method.IsValid() {
			for list, i := method.Call(nil)[0], 0; i < list.Len(); i++ {
				s.Enum = append(s.Enum, list.Index(i).String())
			}
			slices.Sort(s.Enum)
		}
	case reflect.Slice:
		s.Kind = baseline.List
	case reflect.Map:
		s.Kind = baseline.Map
	case reflect.Struct:
		s.Kind = baseline.Object
	}
	switch {
	case readOnly[path]:
		into[path] = shape{}
		return
	case path != "":
		into[path] = s
	}
	if s.Kind == baseline.List || s.Kind == baseline.Map {
		walk(kind.Elem(), path+"[]", readOnly, into)
	}
	if s.Kind != baseline.Object || kind.PkgPath() == "time" {
		return
	}
	for i := range kind.NumField() {
		if field := kind.Field(i); field.IsExported() && field.Name != "ResultMetadata" {
			walk(field.Type, strings.TrimPrefix(path+"."+field.Name, "."), readOnly, into)
		}
	}
}
