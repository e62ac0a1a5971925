package speed

// A Target is one number that is held. All are the better the smaller.
type Target struct {
	Metric string  // the unit under which a benchmark reports it, unique
	What   string  // for readers
	Unit   string  // of the number: "x" is a ratio, measured in one run
	Goal   float64 // 0 is none: the number is there to compare with
	Fail   float64 // a test fails above this, or a reader of the table frowns
	Floor  float64 // the best that was measured of anything with the same duties; 0 is unknown
	Exact  bool    // the same in every run, so that a test holds it
	Needs  string  // what has to be there to measure it
	Note   string  // why the goal is missed, or how the number is meant
}

// The metrics.
const (
	StartWall     = "start/hello"
	StartCPU      = "start-cpu/hello"
	InitAllocs    = "init-allocs"
	StartRSS      = "start-rss/hello"
	FirstHTTPS    = "first-https/raw"
	Folders       = "first-https-folders/raw"
	Compliant20   = "compliant-20ms/raw"
	Drifted20     = "drifted-20ms/raw"
	Compliant0    = "compliant-0ms/raw"
	Drifted0      = "drifted-0ms/raw"
	TwoReads      = "two-reads/one"
	RSS100        = "rss-100-MB"
	RSSGrowth     = "rss-3000/100"
	ZipAMD64      = "zip-amd64-MB"
	ZipARM64      = "zip-arm64-MB"
	ZipEverything = "zip-everything-MB"
	EventAllocs   = "compliant-allocs"
	Compare       = "compare/decode"
	BotoStart     = "start/boto3"
	BotoRSS       = "rss/boto3"
	BotoDrifted0  = "drifted-0ms/boto3"
)

// Of returns the target of a metric. There is one for each.
func Of(metric string) Target {
	for _, t := range Targets {
		if t.Metric == metric {
			return t
		}
	}
	return Target{}
}
