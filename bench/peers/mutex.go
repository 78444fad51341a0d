package main

import (
	"context"
	"sync"
)

// locked is the article's third server: one plugin behind one mutex.
type locked struct {
	mutex sync.Mutex
	inner caller
}

func newMutex(ctx context.Context, from plugin, size int) (caller, error) {
	inner, err := newShared(ctx, from, size)
	if err != nil {
		return nil, err
	}
	return &locked{inner: inner}, nil
}

func (s *locked) call(input []byte) ([]byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.inner.call(input)
}
