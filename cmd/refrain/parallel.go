package main

import (
	"context"
	"iter"
)

// inOrder does jobs, n at a time, and gives the results in the order of the jobs.
// No more than 2n results are held. The first error ends all of it.
func inOrder[J, R any](ctx context.Context, n int, jobs iter.Seq2[J, error], do func(context.Context, J) (R, error), emit func(R) error) (err error) {
	type result struct {
		r   R
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waiting := make(chan chan result, n)
	slots := make(chan struct{}, n)
	go func() {
		defer close(waiting)
		for j, jerr := range jobs {
			ch := make(chan result, 1)
			select {
			case waiting <- ch:
			case <-ctx.Done():
				return
			}
			if jerr != nil {
				ch <- result{err: jerr}
				return
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				ch <- result{err: ctx.Err()}
				return
			}
			go func() {
				defer func() { <-slots }()
				r, err := do(ctx, j)
				ch <- result{r, err}
			}()
		}
	}()
	for ch := range waiting {
		got := <-ch
		if err == nil {
			err = got.err
		}
		if err == nil {
			err = emit(got.r)
		}
		if err != nil {
			cancel() // what is under way ends, and is waited for
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}
