package main

import (
	"context"

	extism "github.com/extism/go-sdk"
)

// compiledOnce makes an instance for each request, like the article's second server, but of a module
// that was compiled before: the best Go can do where nothing may survive a request.
type compiledOnce struct {
	ctx      context.Context
	compiled *extism.CompiledPlugin
	function string
}

func newCompiledOnce(ctx context.Context, from plugin, _ int) (caller, error) {
	compiled, err := from.compile(ctx)
	if err != nil {
		return nil, err
	}
	return &compiledOnce{ctx: ctx, compiled: compiled, function: from.function}, nil
}

func (s *compiledOnce) call(input []byte) ([]byte, error) {
	instance, err := instantiate(s.ctx, s.compiled)
	if err != nil {
		return nil, err
	}
	defer instance.Close(s.ctx)
	_, output, err := instance.Call(s.function, input)
	return output, err
}
