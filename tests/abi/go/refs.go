package sabir

// #include <sabir/sabir.h>
import "C"

import (
	"fmt"
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
func (r *Ref) Get(timeout time.Duration) (value any, err error) {
	defer runtime.KeepAlive(r)
	deadline := time.Now().Add(timeout)
	status := C.sabir_status(C.SABIR_INTERRUPTED) // as by a signal of Go's own
	for status == C.SABIR_INTERRUPTED {
		left := C.int64_t(time.Until(deadline))
		if left < 0 {
			left = 0 // below 0 would be for ever
		}
		err = call(func(failed **C.sabir_error) C.sabir_status {
			status = C.sabir_get(r.client.raw, &r.raw, 1, left, nil, failed)
			return status
		})
	}
	if err != nil {
		return nil, err
	}
	var view C.sabir_view
	err = call(func(failed **C.sabir_error) C.sabir_status {
		if status := C.sabir_ref_view(r.raw, &view, failed); status != C.SABIR_OK || view.encoding == C.SABIR_NULL {
			return status
		}
		data := unsafe.Slice((*byte)(view.data), int(view.size))
		if view.encoding == C.SABIR_NATIVE && view.variant&0x80 != 0 { // it says what is in the way
			panic(string(data[4:][:little.Uint32(data)]))
		} else if view.encoding != C.SABIR_NEUTRAL {
			panic(fmt.Sprintf("a value with encoding %d, of language %d, which Go does not read", view.encoding, view.language))
		}
		var refs []*Ref
		for _, inner := range unsafe.Slice(view.refs, int(view.ref_count)) {
			ref := r.client.newRef()
			ref.raw = C.sabir_ref_retain(inner)
			refs = append(refs, ref)
		}
		value = read(data, int(view.variant), refs)
		return C.SABIR_OK
	})
	if err == nil && view.is_error != 0 {
		return nil, errorOf(value)
	}
	return value, err
}
