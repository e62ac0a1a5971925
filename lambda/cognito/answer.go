package cognito

import (
	"fmt"
	"io"
)

// maxAnswer bounds what is read of an answer. The longest texts that the API allows make half a megabyte in one
// document; JSON of this size takes at most 90 MB of memory.
const maxAnswer = 2 << 20

var errTooLarge = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)

// bounded is the body of an answer, which fails with errTooLarge beyond the bound.
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
