package sabir

// #include <sabir/sabir.h>
import "C"

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The neutral values of docs/values.md. Whatever is wrong with a value or with bytes is a panic here, which call() turns
// into an error: the bounds checks of the language do most of it.

var little = binary.LittleEndian

// writer writes the plain form, and collects references: the bytes have their indices.
type writer struct {
	out  []byte
	refs []*C.sabir_ref
}

func (w *writer) word(tag byte, bits uint64) { w.out = little.AppendUint64(append(w.out, tag), bits) }

func (w *writer) sized(tag byte, count int, content string) {
	w.out = append(little.AppendUint32(append(w.out, tag), uint32(count)), content...)
}

func (w *writer) value(value any) {
	switch v := value.(type) {
	case nil:
		w.out = append(w.out, 'N')
	case bool:
		w.out = append(w.out, map[bool]byte{true: 'T', false: 'F'}[v])
	case int:
		w.word('I', uint64(v))
	case int64:
		w.word('I', uint64(v))
	case float64:
		w.word('f', math.Float64bits(v))
	case string:
		w.sized('s', len(v), v)
	case []byte:
		w.sized('b', len(v), string(v))
	case []any:
		w.sized('l', len(v), "")
		for _, item := range v {
			w.value(item)
		}
	case map[string]any:
		w.sized('d', len(v), "")
		for key, item := range v {
			w.value(key)
			w.value(item)
		}
	case *Ref:
		w.sized('r', len(w.refs), "")
		w.refs = append(w.refs, v.raw)
	default:
		panic(fmt.Sprintf("%T has no neutral form: pass nil, bool, int, int64, float64, string, []byte, []any, map[string]any or *Ref", value))
	}
}

// plain reads the plain form; tuples come as lists.
type plain struct {
	data []byte
	refs []*Ref
}

func (p *plain) take(count int) []byte {
	taken := p.data[:count]
	p.data = p.data[count:]
	return taken
}

func (p *plain) size() int { return int(little.Uint32(p.take(4))) }

func (p *plain) value(depth int) any {
	switch tag := p.take(1)[0]; {
	case depth > 64:
		panic("containers too deep")
	case tag == 'N':
		return nil
	case tag == 'T' || tag == 'F':
		return tag == 'T'
	case tag == 'i':
		return int64(int8(p.take(1)[0]))
	case tag == 'I':
		return int64(little.Uint64(p.take(8)))
	case tag == 'U':
		return little.Uint64(p.take(8))
	case tag == 'f':
		return math.Float64frombits(little.Uint64(p.take(8)))
	case tag == 'e':
		return float64(math.Float32frombits(little.Uint32(p.take(4))))
	case tag == 's':
		return string(p.take(p.size()))
	case tag == 'b':
		return append([]byte{}, p.take(p.size())...)
	case tag == 'r':
		return p.refs[p.size()]
	case tag == 'l' || tag == 't':
		list := []any{}
		for count := p.size(); count > 0; count-- {
			list = append(list, p.value(depth+1))
		}
		return list
	case tag == 'd':
		entries := map[string]any{}
		for count := p.size(); count > 0; count-- {
			key := fmt.Sprint(p.value(depth + 1))
			entries[key] = p.value(depth + 1)
		}
		return entries
	default:
		panic(fmt.Sprintf("a form of value (%q) that Go does not read", tag))
	}
}

func read(data []byte, refs []*Ref) any {
	reader := plain{data, refs}
	value := reader.value(0)
	if len(reader.data) != 0 {
		panic(fmt.Sprintf("a value with %d bytes after its end", len(reader.data)))
	}
	return value
}
