package userpool

import (
	"maps"
	"reflect"
	"slices"
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
	options := []cmp.Option{cmpopts.IgnoreUnexported(shape{}), cmpopts.EquateEmpty()}
	for _, c := range []struct {
		document    baseline.DocumentName
		read, write reflect.Type
	}{
		{baseline.UserPool, reflect.TypeFor[types.UserPoolType](), reflect.TypeFor[idp.UpdateUserPoolInput]()},
		{
			baseline.MfaConfig, reflect.TypeFor[idp.GetUserPoolMfaConfigOutput](),
			reflect.TypeFor[idp.SetUserPoolMfaConfigInput](),
		},
		{
			baseline.RiskConfiguration, reflect.TypeFor[types.RiskConfigurationType](),
			reflect.TypeFor[idp.SetRiskConfigurationInput](),
		},
		{
			baseline.LogDelivery, reflect.TypeFor[types.LogDeliveryConfigurationType](),
			reflect.TypeFor[idp.SetLogDeliveryConfigurationInput](),
		},
		{baseline.AppClient, reflect.TypeFor[types.UserPoolClientType](), reflect.TypeFor[idp.UpdateUserPoolClientInput]()},
	} {
		t.Run(string(c.document), func(t *testing.T) {
			t.Parallel()
			table, _ := c.document.Table()
			read := map[string]shape{}
			for _, m := range table.Members {
				describe(m, readName(&m), read)
			}
			if diff := cmp.Diff(ofSDK(table, c.read), known(read), options...); diff != "" {
				t.Errorf("what is read (-SDK +table):\n%s", diff)
			}
			write := map[string]shape{}
			for _, id := range []string{"UserPoolId", "ClientId"} {
				if _, takes := c.write.FieldByName(id); takes {
					write[id] = shape{Kind: baseline.String}
				}
			}
			for _, m := range table.Members {
				if m.Trip != baseline.ReadOnly {
					describe(m, m.Name, write)
				}
			}
			if diff := cmp.Diff(ofSDK(baseline.Document{}, c.write), known(write), options...); diff != "" {
				t.Errorf("what is written (-SDK +table):\n%s", diff)
			}
		})
	}
}

type shape struct {
	Kind  baseline.Kind // 0 of members that no call writes: only their name counts
	Enum  []string
	newer bool
}

func describe(m baseline.Member, path string, into map[string]shape) {
	if m.Trip == baseline.ReadOnly {
		into[path] = shape{newer: m.Newer}
		return
	}
	if m.ByKey != "" {
		into[path] = shape{Kind: baseline.List}
		describeElement(m, path+"[]", into)
		return
	}
	enum := slices.DeleteFunc(slices.Clone(m.Enum), func(v string) bool { return slices.Contains(newerValues, v) })
	slices.Sort(enum)
	into[path] = shape{Kind: m.Kind, Enum: enum, newer: m.Newer}
	if m.Elem != nil {
		describe(*m.Elem, path+"[]", into)
	}
	for _, below := range m.Members {
		describe(below, path+"."+below.Name, into)
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
			if was, twice := elements[at]; twice {
				s.Enum = append(s.Enum, was.Enum...)
				slices.Sort(s.Enum)
				s.Enum = slices.Compact(s.Enum)
			}
			elements[at] = s
		}
	}
	slices.Sort(keys)
	elements[path+"."+m.ByKey] = shape{Kind: baseline.String, Enum: keys}
	maps.Copy(into, elements)
}

// newerValues are values of the table that the service takes and the SDK does not know yet.
var newerValues = []string{"ALLOW_TOKEN_EXCHANGE_DELEGATION", "ALLOW_TOKEN_EXCHANGE_IMPERSONATION"}

// known leaves out what the table says the SDK does not have.
func known(all map[string]shape) map[string]shape {
	kept := maps.Clone(all)
	for path, s := range all {
		if !s.newer {
			continue
		}
		for below := range all {
			if below == path || baseline.Covers(path, below) || len(below) > len(path) && below[:len(path)+1] == path+"[" {
				delete(kept, below)
			}
		}
	}
	return kept
}

// ofSDK describes an SDK's type. Of the members that no call writes, as the table says, only the name counts.
func ofSDK(table baseline.Document, kind reflect.Type) map[string]shape {
	into := map[string]shape{}
	walkStruct(kind, "", into)
	// The enums that the service has extended since.
	if s, ok := into["Policies.SignInPolicy.AllowedFirstAuthFactors[]"]; ok {
		s.Enum = append(s.Enum, "SOFTWARE_TOKEN")
		slices.Sort(s.Enum)
		into["Policies.SignInPolicy.AllowedFirstAuthFactors[]"] = s
	}
	readOnly := map[string]bool{}
	for _, m := range table.Members {
		if m.Trip == baseline.ReadOnly {
			readOnly[m.Name] = true
		}
	}
	for path := range into {
		for name := range readOnly {
			switch {
			case path == name:
				into[path] = shape{}
			case baseline.Covers(name, path) || len(path) > len(name) && path[:len(name)+1] == name+"[":
				delete(into, path)
			}
		}
	}
	return into
}

func walkStruct(kind reflect.Type, prefix string, into map[string]shape) {
	for i := range kind.NumField() {
		field := kind.Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		walkType(field.Type, prefix+field.Name, into)
	}
}

func walkType(kind reflect.Type, path string, into map[string]shape) {
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
		walkType(kind.Elem(), path+"[]", into)
	case reflect.Map:
		s.Kind = baseline.Map
		walkType(kind.Elem(), path+"[]", into)
	case reflect.Struct:
		s.Kind = baseline.Object
		if kind.PkgPath() != "time" {
			walkStruct(kind, path+".", into)
		}
	}
	into[path] = s
}
