// The hello plugin in Go: text N in, {"message":"🦀 Hello N"} out, an error where N is not UTF-8.
// It is a WASI reactor: no main program, but exported functions that a host calls as often as it likes.
package main

import (
	"unicode/utf8"

	"github.com/extism/go-pdk"
)

//go:wasmexport hello
func hello() int32 {
	name := pdk.Input()
	if !utf8.Valid(name) {
		pdk.SetErrorString("the input is not valid UTF-8")
		return 1
	}
	pdk.Output(greet(name))
	return 0
}

func greet(name []byte) []byte {
	answer := make([]byte, 0, len(name)+32)
	answer = append(answer, `{"message":"🦀 Hello `...)
	for _, b := range name {
		answer = appendEscaped(answer, b)
	}
	return append(answer, `"}`...)
}

// appendEscaped escapes as little as JSON allows. encoding/json would also escape <, > and &.
func appendEscaped(answer []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(answer, '\\', b)
	case '\b':
		return append(answer, `\b`...)
	case '\t':
		return append(answer, `\t`...)
	case '\n':
		return append(answer, `\n`...)
	case '\f':
		return append(answer, `\f`...)
	case '\r':
		return append(answer, `\r`...)
	}
	if b < 0x20 {
		const hex = "0123456789abcdef"
		return append(answer, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
	}
	return append(answer, b)
}

// A Go program must have one; a reactor never runs it.
func main() {}
