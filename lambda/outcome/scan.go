package outcome

// A ScanResult is what one scan, or one part of it, did.
type ScanResult struct {
	Outcome  Ending         `json:"outcome"`            // Scanned, Deferred or Ignored
	Pools    int            `json:"pools"`              // pools that were listed and that a rule may select
	Sent     int            `json:"sent,omitempty"`     // of them, those that were sent to the scan queue
	Outcomes map[Ending]int `json:"outcomes,omitempty"` // of pools that were handled in process: how many ended how
	Failed   []Failure      `json:"failed,omitempty"`   // of them, those that were deferred
	Reason   string         `json:"reason,omitempty"`
}

// A Failure is a pool that a scan could not reconcile.
type Failure struct {
	UserPoolID string `json:"userPoolId"`
	Outcome    Ending `json:"outcome"`
	Reason     string `json:"reason"`
}
