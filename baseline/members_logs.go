package baseline

// logMembers is the response of GetLogDeliveryConfiguration and the input of SetLogDeliveryConfiguration, which
// replaces the whole configuration.
var logMembers = []Member{
	{Name: "UserPoolId", Kind: String, Trip: ReadOnly},
	// In the API this is a list with at most one entry per event source. Here each entry is a member with the name of
	// its event source.
	{Name: "LogConfigurations", Kind: Object, ByKey: "EventSource", Doc: "Where the pool's logs go, by event source.",
		Members: []Member{
			{Name: "userNotification", Kind: Object, Snapshot: Exactly, NotEmpty: true,
				Doc:     "Failed e-mails and text messages; to CloudWatch Logs only.",
				Members: []Member{logLevel("ERROR"), logGroup(), bucket(), stream()}},
			{Name: "userAuthEvents", Kind: Object, Snapshot: Exactly, NotEmpty: true,
				Doc:     "Sign-in events with their risk; needs UserPoolTier PLUS.",
				Members: []Member{logLevel("INFO"), logGroup(), bucket(), stream()}},
		}},
}

func logLevel(level string) Member {
	return Member{Name: "LogLevel", Kind: String, Required: true, Enum: []string{level}, Doc: "Level."}
}

func logGroup() Member {
	return Member{Name: "CloudWatchLogsConfiguration", Kind: Object, NotEmpty: true, Doc: "Log group.",
		Members: []Member{arn("LogGroupArn", formatLogGroup, "Log group.")}}
}

func bucket() Member {
	return Member{Name: "S3Configuration", Kind: Object, NotEmpty: true, Doc: "S3 bucket.",
		Members: []Member{{Name: "BucketArn", Kind: String, Doc: "S3 bucket.",
			Min: 3, Max: 1024, Pattern: `arn:[\w+=/,.@-]+:[\w+=/,.@-]+:::[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?`}}}
}

func stream() Member {
	return Member{Name: "FirehoseConfiguration", Kind: Object, NotEmpty: true, Doc: "Firehose stream.",
		Members: []Member{arn("StreamArn", formatStream, "Firehose stream.")}}
}
