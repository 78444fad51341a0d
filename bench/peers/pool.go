package main

import (
	"context"

	extism "github.com/extism/go-sdk"
)

// pool holds several instances of one compiled module; a request takes one and gives it back. The
// best Go can do where an instance may be used again.
type pool struct {
	free     chan *extism.Plugin
	function string
}

func newPool(ctx context.Context, from plugin, size int) (caller, error) {
	compiled, err := from.compile(ctx)
	if err != nil {
		return nil, err
	}
	free := make(chan *extism.Plugin, size)
	for range size {
		instance, err := instantiate(ctx, compiled)
		if err != nil {
			return nil, err
		}
		free <- instance
	}
	return &pool{free: free, function: from.function}, nil
}

func (s *pool) call(input []byte) ([]byte, error) {
	instance := <-s.free
	defer func() { s.free <- instance }()
	_, output, err := instance.Call(s.function, input)
	return output, err
}
