package sabir

// #include <sabir/sabir.h>
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// Ref refers to a value that is stored or will be. As an argument it stands for its value; in a list for itself.
type Ref struct {
	client *Client
	raw    *C.sabir_ref
}

func (c *Client) newRef() *Ref {
	ref := &Ref{client: c}
	runtime.SetFinalizer(ref, func(r *Ref) { C.sabir_ref_release(r.raw) }) // takes no lock, never waits
	return ref
}

func (c *Client) Put(value any, timeout time.Duration) (*Ref, error) {
	var a arena
	defer a.free()
	ref := c.newRef()
	return ref, call(func(failed **C.sabir_error) C.sabir_status {
		raw := a.value(value)
		defer runtime.KeepAlive(value)
		return C.sabir_put(c.raw, &raw, C.int64_t(timeout), &ref.raw, failed)
	})
}

// Get waits for the value.
func (r *Ref) Get(timeout time.Duration) (any, error) {
	defer runtime.KeepAlive(r)
	deadline := time.Now().Add(timeout)
	var view C.sabir_view
	err := call(func(failed **C.sabir_error) C.sabir_status {
		left := C.int64_t(max(0, time.Until(deadline))) // below 0 would be for ever
		if status := C.sabir_get(r.client.raw, &r.raw, 1, left, nil, failed); status != C.SABIR_OK {
			return status
		}
		return C.sabir_ref_view(r.raw, &view, failed)
	})
	if err != nil {
		return nil, err
	}
	if view.is_error != 0 {
		return nil, failureOf(&view, 0)
	}
	return r.client.valueOf(&view)
}

func (c *Client) valueOf(view *C.sabir_view) (value any, err error) {
	var refs []*Ref
	for _, raw := range unsafe.Slice(view.refs, view.ref_count) {
		ref := c.newRef()
		ref.raw = C.sabir_ref_retain(raw)
		refs = append(refs, ref)
	}
	err = call(func(failed **C.sabir_error) C.sabir_status {
		var buffer *C.sabir_buffer
		if status := C.sabir_view_to_plain(view, &buffer, failed); status != C.SABIR_OK {
			return status
		}
		defer C.sabir_buffer_destroy(buffer)
		bytes := C.sabir_buffer_bytes(buffer)
		value = read(unsafe.Slice((*byte)(bytes.data), bytes.size), refs)
		return C.SABIR_OK
	})
	return value, err
}
