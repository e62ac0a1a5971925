package baseline

// logMembers is GetLogDeliveryConfiguration's answer and SetLogDeliveryConfiguration's input, which replaces all of it.
var logMembers = []Member{
	{Name: "UserPoolId", Kind: String, Trip: ReadOnly},
	// The API has a list, of at most one entry for each event source; here, each entry is a member by that name.
	{Name: "LogConfigurations", Kind: Object, ByKey: "EventSource", Doc: "Where the pool's logs go, by event source.", Members: []Member{
		logEntry("userNotification", "Failed e-mails and text messages; to CloudWatch Logs only.", "ERROR"),
		logEntry("userAuthEvents", "Sign-in events with their risk; needs UserPoolTier PLUS.", "INFO"),
	}},
}

func logEntry(source, doc, level string) Member {
	destination := func(name, member string, to Member) Member {
		to.Name = member
		return Member{Name: name, Kind: Object, NotEmpty: true, Doc: to.Doc, Members: []Member{to}}
	}
	bucket := Member{Kind: String, Min: 3, Max: 1024, Pattern: `arn:[\w+=/,.@-]+:[\w+=/,.@-]+:::[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?`, Doc: "S3 bucket."}
	return Member{Name: source, Kind: Object, NotEmpty: true, Doc: doc, Members: []Member{
		{Name: "LogLevel", Kind: String, Required: true, Enum: []string{level}, Doc: "Level."},
		destination("CloudWatchLogsConfiguration", "LogGroupArn", arn("", "Log group.")),
		destination("S3Configuration", "BucketArn", bucket),
		destination("FirehoseConfiguration", "StreamArn", arn("", "Firehose stream.")),
	}}
}
