package main

import (
	"context"

	extism "github.com/extism/go-sdk"
)

// shared is the article's first server: one plugin for all goroutines, and no lock. It answers wrong
// or dies as soon as two requests meet; it is here to be seen doing so.
type shared struct {
	plugin   *extism.Plugin
	function string
}

func newShared(ctx context.Context, from plugin, _ int) (caller, error) {
	loaded, err := from.load(ctx)
	if err != nil {
		return nil, err
	}
	return &shared{plugin: loaded, function: from.function}, nil
}

func (s *shared) call(input []byte) ([]byte, error) {
	_, output, err := s.plugin.Call(s.function, input)
	return output, err
}
