package program

import (
	"bytes"
	"fmt"
	"os"
)

// Secret reads the file that a flag names: a secret, with or without a line end
// behind it. One of fewer than least bytes is refused, since it can be guessed.
func Secret(flag, file string, least int) ([]byte, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if secret = bytes.TrimRight(secret, "\r\n"); len(secret) < least {
		return nil, fmt.Errorf("%s: %s holds fewer than %d bytes", flag, file, least)
	}
	return secret, nil
}
