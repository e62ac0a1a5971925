package baseline

import "time"

// clientMembers is DescribeUserPoolClient's answer and UpdateUserPoolClient's input, which resets what it lacks.
var clientMembers = []Member{
	{Name: "UserPoolId", Kind: String, Trip: ReadOnly},
	{Name: "ClientId", Kind: String, Trip: ReadOnly},
	{Name: "ClientSecret", Kind: String, Trip: ReadOnly, Sensitive: true},
	{Name: "LastModifiedDate", Kind: String, Trip: ReadOnly},
	{Name: "CreationDate", Kind: String, Trip: ReadOnly},
	{Name: "ClientType", Kind: String, Trip: ReadOnly, Newer: true},
	// Shown in place of ClientSecret where Secrets Manager keeps the secret. Whether it does is said by
	// PublishSecretsInAWSSecretsManager alone, of which false deletes the secret there at once.
	{Name: "ClientSecretArn", Kind: String, Trip: ReadOnly, Newer: true},
	{Name: "PublishSecretsInAWSSecretsManager", Kind: Boolean, Trip: WriteOnly, Newer: true},
	{Name: "ClientName", Kind: String, Min: 1, Max: 128, Pattern: clientNamePattern, Doc: "Name of the client.",
		Keep: "every client has a name"},
	// The model allows 0, but the service reads 0 as "not given", so 0 can never hold.
	{Name: "RefreshTokenValidity", Kind: Integer, Min: 1, Max: 315360000,
		Doc:  "How long a refresh token is valid, in the unit of TokenValidityUnits, or else in days.",
		Keep: "the service has a validity for every client",
		Lifetime: &Lifetime{Unit: "TokenValidityUnits.RefreshToken", Least: time.Hour,
			Most: 3650 * 24 * time.Hour, Words: "a refresh token is valid for 60 minutes to 10 years"}},
	{Name: "AccessTokenValidity", Kind: Integer, Min: 1, Max: 86400,
		Doc: "How long an access token is valid, in the unit of TokenValidityUnits, or else in hours.",
		Lifetime: &Lifetime{Unit: "TokenValidityUnits.AccessToken", Least: 5 * time.Minute,
			Most: 24 * time.Hour, Words: "an access token is valid for 5 minutes to 1 day"}},
	{Name: "IdTokenValidity", Kind: Integer, Min: 1, Max: 86400,
		Doc: "How long an ID token is valid, in the unit of TokenValidityUnits, or else in hours.",
		Lifetime: &Lifetime{Unit: "TokenValidityUnits.IdToken", Least: 5 * time.Minute,
			Most: 24 * time.Hour, Words: "an ID token is valid for 5 minutes to 1 day"}},
	{Name: "TokenValidityUnits", Kind: Object, NotEmpty: true, Doc: "Units of the three validities.", Members: []Member{
		timeUnit("AccessToken", "hours"), timeUnit("IdToken", "hours"), timeUnit("RefreshToken", "days"),
	}},
	attributeList("ReadAttributes", "Attributes that the client may read; the standard ones where there is no list.",
		readableAttributes),
	attributeList("WriteAttributes", "Attributes that the client may write; the standard ones where there is no list.",
		standardAttributes),
	{Name: "ExplicitAuthFlows", Kind: List, Set: true, Keep: "left out, the service allows its own choice of flows",
		DefaultList: []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"},
		Doc: "Ways to sign in that the client may use. Those that begin with ALLOW_ cannot stand beside the older " +
			"ones.",
		Elem: &Member{Kind: String, Enum: []string{"ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH",
			"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH",
			"ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH",
			"ALLOW_TOKEN_EXCHANGE_DELEGATION", "ALLOW_TOKEN_EXCHANGE_IMPERSONATION"}}},
	{Name: "SupportedIdentityProviders", Kind: List, Set: true,
		Doc:  "Identity providers that users of the client may sign in with.",
		Elem: &Member{Kind: String, Min: 1, Max: 32, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}\p{Z}]+`}},
	urlList("CallbackURLs", formatRedirect, "URLs that a sign-in may return to."),
	urlList("LogoutURLs", formatURL, "URLs that a sign-out may return to."),
	{Name: "DefaultRedirectURI", Kind: String, Min: 1, Max: 1024, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`,
		Format: formatRedirect, Doc: "URL that a sign-in returns to where the request names none; one of CallbackURLs."},
	{Name: "AllowedOAuthFlows", Kind: List, Set: true, Max: 3, Doc: "OAuth grants of the client.", Elem: grantType},
	{Name: "AllowedOAuthScopes", Kind: List, Set: true, Max: 50, Doc: "OAuth scopes of the client.",
		Elem: &Member{Kind: String, Min: 1, Max: 256, Pattern: tokenPattern}},
	{Name: "AllowedOAuthFlowsUserPoolClient", Kind: Boolean,
		Doc: "Whether the client may use OAuth with the pool at all."},
	{Name: "AnalyticsConfiguration", Kind: Object, NotEmpty: true, Doc: "Amazon Pinpoint analytics.", Members: []Member{
		{Name: "ApplicationId", Kind: String, Pattern: `[0-9a-fA-F]+`, Doc: "Id of the Pinpoint project."},
		arn("ApplicationArn", "", "ARN of the Pinpoint project."),
		arn("RoleArn", formatRole, "ARN of the role that publishes to it."),
		{Name: "ExternalId", Kind: String, Max: 131072, Sensitive: true,
			Doc: "External id that the role's trust policy demands."},
		{Name: "UserDataShared", Kind: Boolean, Doc: "Whether user data goes into what is published."},
	}},
	{Name: "PreventUserExistenceErrors", Kind: String, Enum: []string{"LEGACY", "ENABLED"}, Default: "LEGACY",
		Keep: "left out, the service sets LEGACY; require that",
		Doc:  "ENABLED does not tell a stranger whether a user exists."},
	{Name: "EnableTokenRevocation", Kind: Boolean, Doc: "Whether tokens can be revoked."},
	{Name: "EnablePropagateAdditionalUserContextData", Kind: Boolean,
		Doc: "Whether a server may hand on its users' addresses to threat protection."},
	{Name: "AuthSessionValidity", Kind: Integer, Min: 3, Max: 15,
		Doc:  "Minutes within which a sign-in has to be completed.",
		Keep: "every client has a validity of its sign-in sessions"},
	{Name: "RefreshTokenRotation", Kind: Object, NotEmpty: true,
		Doc: "Whether a refresh token is replaced when it is used.", Members: []Member{
			{Name: "Feature", Kind: String, Required: true, Default: "DISABLED",
				Enum: []string{"ENABLED", "DISABLED"}, Doc: "ENABLED replaces it."},
			{Name: "RetryGracePeriodSeconds", Kind: Integer, Max: 60, Doc: "Seconds for which the replaced one still works."},
		}},
}

func timeUnit(name, otherwise string) Member {
	return Member{Name: name, Kind: String, Default: otherwise, Enum: []string{"seconds", "minutes", "hours", "days"},
		Doc: "Unit."}
}

// standardAttributes are those that a client may write where it has no list, and readableAttributes those that it may
// read. Both are written out, for then the compiler lays them into the binary.
var (
	standardAttributes = []string{"address", "birthdate", "email", "family_name", "gender", "given_name", "locale",
		"middle_name", "name", "nickname", "phone_number", "picture", "preferred_username", "profile", "updated_at",
		"website", "zoneinfo"}
	readableAttributes = []string{"address", "birthdate", "email", "family_name", "gender", "given_name", "locale",
		"middle_name", "name", "nickname", "phone_number", "picture", "preferred_username", "profile", "updated_at",
		"website", "zoneinfo", "email_verified", "phone_number_verified"}
)

func attributeList(name, doc string, defaults []string) Member {
	return Member{Name: name, Kind: List, Set: true, Presence: true, Doc: doc, DefaultList: defaults,
		Elem: &Member{Kind: String, Min: 1, Max: 2048}}
}

func urlList(name, format, doc string) Member {
	return Member{Name: name, Kind: List, Set: true, Max: 100, Doc: doc,
		Elem: &Member{Kind: String, Min: 1, Max: 1024, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`, Format: format}}
}
