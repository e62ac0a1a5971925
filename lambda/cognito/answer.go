package cognito

import (
	"fmt"
	"io"
)

// maxAnswer is the largest response that is read. A document with the longest texts that the API allows has half a
// megabyte. JSON of maxAnswer bytes needs at most 90 MB of memory.
const maxAnswer = 2 << 20

var errTooLarge = fmt.Errorf("the response is larger than %d bytes", maxAnswer)

// bounded is the body of a response; reading beyond the limit fails with errTooLarge.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}
