package main

import "context"

// instancePerRequest is the article's second server: it reads, compiles and instantiates for each
// request. The article never closes these; closing is kinder to Go, whose memory would run out here.
type instancePerRequest struct {
	ctx  context.Context
	from plugin
}

func newInstancePerRequest(ctx context.Context, from plugin, _ int) (caller, error) {
	return &instancePerRequest{ctx: ctx, from: from}, nil
}

func (s *instancePerRequest) call(input []byte) ([]byte, error) {
	loaded, err := s.from.load(s.ctx)
	if err != nil {
		return nil, err
	}
	defer loaded.Close(s.ctx)
	_, output, err := loaded.Call(s.from.function, input)
	return output, err
}
