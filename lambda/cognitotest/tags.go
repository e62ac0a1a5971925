package cognitotest

import (
	"errors"
	"strings"
)

func (s *Server) tagged(request map[string]any) (*pool, error) {
	return s.pool(map[string]any{"UserPoolId": named(request)})
}

func (s *Server) tagResource(request map[string]any) (any, error) {
	p, err := s.tagged(request)
	if err != nil {
		return nil, err
	}
	if request["Tags"] == nil {
		return nil, missing("tags")
	}
	tags := cloneObject(object(p.userPool["UserPoolTags"]))
	if tags == nil {
		tags = map[string]any{}
	}
	for k, v := range object(request["Tags"]) {
		tags[k] = v
	}
	if err := s.judgeTags(request["Tags"], tags); err != nil {
		return nil, err
	}
	p.userPool["UserPoolTags"] = tags
	return map[string]any{}, nil
}

func (s *Server) untagResource(request map[string]any) (any, error) {
	p, err := s.tagged(request)
	if err != nil {
		return nil, err
	}
	tags, _ := p.userPool["UserPoolTags"].(map[string]any)
	keys, ok := request["TagKeys"].([]any)
	if !ok {
		return nil, missing("tagKeys")
	}
	for _, k := range keys {
		if key, _ := k.(string); s.validators && strings.HasPrefix(key, systemTag) {
			return nil, invalid("Tag keys that begin with %s are reserved", systemTag)
		}
	}
	for _, k := range keys {
		key, _ := k.(string)
		delete(tags, key)
	}
	return map[string]any{}, nil
}

// judgeTags holds tags that are added, and all that the pool has then, against the table.
func (s *Server) judgeTags(given any, all map[string]any) error {
	if !s.validators {
		return nil
	}
	var broken *failure
	if errors.As(validate(userPoolTable(), map[string]any{"UserPoolTags": given}), &broken) {
		return invalid("%s", broken.Message)
	}
	own := 0
	for key := range all {
		if !strings.HasPrefix(key, systemTag) {
			own++
		}
	}
	if own > 50 {
		return invalid("A resource has at most 50 tags")
	}
	return nil
}

func (s *Server) listTags(request map[string]any) (any, error) {
	p, err := s.tagged(request)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Tags": clone(p.userPool["UserPoolTags"])}, nil
}
