package cognitotest

// RuleNames are the names of the specific refusals, in order.
func RuleNames() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}
