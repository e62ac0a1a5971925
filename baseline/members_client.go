package baseline

import "time"

// clientMembers is the response of DescribeUserPoolClient and the input of UpdateUserPoolClient, which resets missing
// members.
var clientMembers = []Member{
	readOnly("UserPoolId"), readOnly("ClientId"),
	{Name: "ClientSecret", Kind: String, Trip: ReadOnly, Sensitive: true},
	readOnly("LastModifiedDate"), readOnly("CreationDate"),
	{Name: "ClientType", Kind: String, Trip: ReadOnly, Newer: true},
	{Name: "PublishSecretsInAWSSecretsManager", Kind: Boolean, Snapshot: Equal, ShownBy: "ClientSecretArn", Clear: "false",
		KeptOmitted: true, Newer: true, Doc: "Whether Secrets Manager stores and rotates the client's secret. true rotates " +
			"it at once; false deletes the secret in Secrets Manager at once, for good."},
	{Name: "ClientSecretArn", Kind: String, Trip: ReadOnly, Newer: true}, // returned instead of ClientSecret
	{Name: "ClientName", Kind: String, Min: 1, Max: 128, Pattern: namePattern, Doc: "Name of the client.",
		Keep: "every client has a name"},
	// The model allows 0, but the service treats 0 as "not given", so 0 can never be met.
	{Name: "RefreshTokenValidity", Kind: Integer, Snapshot: Equal, Min: 1, Max: 315360000,
		Doc:  "How long a refresh token is valid, in the unit of TokenValidityUnits; in days by default.",
		Keep: "the service always sets a validity", Lifetime: &Lifetime{Unit: "TokenValidityUnits.RefreshToken",
			Usual: 30 * 24 * time.Hour, Least: time.Hour, Most: 3650 * 24 * time.Hour,
			Words: "a refresh token is valid for 60 minutes to 10 years"}},
	{Name: "AccessTokenValidity", Kind: Integer, Snapshot: Equal, Min: 1, Max: 86400,
		Doc: "How long an access token is valid, in the unit of TokenValidityUnits; in hours by default.",
		Lifetime: &Lifetime{Unit: "TokenValidityUnits.AccessToken", Usual: time.Hour, Least: 5 * time.Minute,
			Most: 24 * time.Hour, Words: "an access token is valid for 5 minutes to 1 day"}},
	{Name: "IdTokenValidity", Kind: Integer, Snapshot: Equal, Min: 1, Max: 86400,
		Doc: "How long an ID token is valid, in the unit of TokenValidityUnits; in hours by default.",
		Lifetime: &Lifetime{Unit: "TokenValidityUnits.IdToken", Usual: time.Hour, Least: 5 * time.Minute,
			Most: 24 * time.Hour, Words: "an ID token is valid for 5 minutes to 1 day"}},
	{Name: "TokenValidityUnits", Kind: Object, Snapshot: Exactly,
		NotEmpty: true, Doc: "Time units of token validities.", Members: []Member{
			timeUnit("AccessToken", "hours"), timeUnit("IdToken", "hours"), timeUnit("RefreshToken", "days"),
		}},
	attributeList("ReadAttributes", "Attributes that the client may read; the standard attributes by default.",
		readableAttributes),
	attributeList("WriteAttributes", "Attributes that the client may write; the standard attributes by default.",
		standardAttributes),
	{Name: "ExplicitAuthFlows", Kind: List, Snapshot: Equal, Keep: "without a list, the service allows its default flows",
		DefaultList: []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"},
		Doc: "Authentication flows that the client may use. Those that begin with ALLOW_ cannot be combined with the " +
			"older ones.",
		Elem: &Member{Kind: String, Enum: []string{"ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH",
			"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH",
			"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_TOKEN_EXCHANGE_DELEGATION",
			"ALLOW_TOKEN_EXCHANGE_IMPERSONATION"}}},
	{Name: "SupportedIdentityProviders", Kind: List, Snapshot: Equal,
		Doc: "Identity providers that users of the client may sign in with.",
		Elem: &Member{Kind: String, Min: 1, Max: 32, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}\p{Z}]+`,
			Usual: []string{"COGNITO", "Facebook", "Google", "LoginWithAmazon", "SignInWithApple"}}},
	urlList("CallbackURLs", formatRedirect, "URLs that Cognito may redirect to after sign-in."),
	urlList("LogoutURLs", formatURL, "URLs that Cognito may redirect to after sign-out."),
	{Name: "DefaultRedirectURI", Kind: String, Min: 1, Max: 1024, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`,
		Format: formatRedirect, Doc: "Redirect URL after sign-in if the request names none; must be one of CallbackURLs."},
	{Name: "AllowedOAuthFlows", Kind: List, Snapshot: Equal, Max: 3, Doc: "OAuth grants of the client.", Elem: grantType},
	{Name: "AllowedOAuthScopes", Kind: List, Snapshot: Equal, Max: 50, Doc: "OAuth scopes of the client.",
		Elem: &Member{Kind: String, Min: 1, Max: 256, Pattern: tokenPattern,
			Usual: []string{"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}}},
	{Name: "AllowedOAuthFlowsUserPoolClient", Kind: Boolean, Doc: "Whether the client may use OAuth with the pool."},
	{Name: "AnalyticsConfiguration", Kind: Object, NotEmpty: true, Doc: "Amazon Pinpoint analytics.", Members: []Member{
		{Name: "ApplicationId", Kind: String, Pattern: `[0-9a-fA-F]+`, Doc: "Id of the Pinpoint project."},
		arn("ApplicationArn", "", "ARN of the Pinpoint project."),
		arn("RoleArn", formatRole, "ARN of the role that publishes to Pinpoint."),
		{Name: "ExternalId", Kind: String, Max: 131072, Sensitive: true,
			Doc: "External id that the role's trust policy demands."},
		{Name: "UserDataShared", Kind: Boolean, Doc: "Whether the published events include user data."},
	}},
	{Name: "PreventUserExistenceErrors", Kind: String, Snapshot: OneOf, Enum: []string{"LEGACY", "ENABLED"},
		Default: "LEGACY", Keep: "if it is absent, the service sets LEGACY; require LEGACY instead",
		Doc: "ENABLED hides from callers whether a user exists."},
	{Name: "EnableTokenRevocation", Kind: Boolean, Snapshot: Equal, Doc: "Whether tokens can be revoked."},
	{Name: "EnablePropagateAdditionalUserContextData", Kind: Boolean,
		Doc: "Whether a server may pass its users' IP addresses to threat protection."},
	{Name: "AuthSessionValidity", Kind: Integer, Min: 3, Max: 15, Default: "3",
		Doc: "Minutes within which a sign-in must be completed.", Keep: "every client has a sign-in session validity"},
	{Name: "RefreshTokenRotation", Kind: Object, Snapshot: Exactly, NotEmpty: true,
		Doc: "Whether a refresh token is replaced when it is used.", Members: []Member{
			{Name: "Feature", Kind: String, Required: true, Default: "DISABLED",
				Enum: []string{"ENABLED", "DISABLED"}, Doc: "ENABLED replaces refresh tokens on use."},
			{Name: "RetryGracePeriodSeconds", Kind: Integer, Max: 60, Doc: "Seconds that a replaced token still works."},
		}},
}

func timeUnit(name, otherwise string) Member {
	return Member{Name: name, Kind: String, Default: otherwise, Enum: []string{"seconds", "minutes", "hours", "days"},
		Doc: "Unit."}
}

// standardAttributes are the attributes that a client without a list may write, and readableAttributes those that it
// may read. Both are written out as literals so that the compiler can store them in the binary.
var (
	standardAttributes = []string{"address", "birthdate", "email", "family_name", "gender", "given_name", "locale",
		"middle_name", "name", "nickname", "phone_number", "picture", "preferred_username", "profile", "updated_at",
		"website", "zoneinfo"}
	readableAttributes = []string{"address", "birthdate", "email", "family_name", "gender", "given_name", "locale",
		"middle_name", "name", "nickname", "phone_number", "picture", "preferred_username", "profile", "updated_at",
		"website", "zoneinfo", "email_verified", "phone_number_verified"}
)

func attributeList(name, doc string, defaults []string) Member {
	return Member{Name: name, Kind: List, Presence: true, Doc: doc, DefaultList: defaults,
		Elem: &Member{Kind: String, Min: 1, Max: 2048, Usual: defaults}}
}

func urlList(name, format, doc string) Member {
	return Member{Name: name, Kind: List, Snapshot: Equal, Max: 100, Doc: doc,
		Elem: &Member{Kind: String, Min: 1, Max: 1024, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`, Format: format}}
}
