package sabir

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
	refs []*Ref
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
		w.refs = append(w.refs, v)
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

// flex reads FlexBuffers: error values are such maps, and Python writes single numbers and texts so.
type flex []byte

func (f flex) number(at, width int) uint64 {
	var word [8]byte
	copy(word[:], f[at:at+width])
	return little.Uint64(word[:])
}

func (f flex) follow(at, width int) int { return at - int(f.number(at, width)) }

// value reads what lies in `width` bytes at `at`; `packed` has its type, and the width of what it points at.
func (f flex) value(at, width int, packed byte, depth int) any {
	inner := 1 << (packed & 3)
	switch kind := packed >> 2; {
	case depth > 64:
		panic("containers too deep")
	case kind >= 6 && kind <= 8: // a number elsewhere
		return f.value(f.follow(at, width), inner, (kind-5)<<2, depth)
	case kind == 0:
		return nil
	case kind == 1:
		unused := 64 - 8*width
		return int64(f.number(at, width)<<unused) >> unused
	case kind == 2:
		return f.number(at, width)
	case kind == 3 && width == 8:
		return math.Float64frombits(f.number(at, width))
	case kind == 5 || kind == 25:
		start := f.follow(at, width)
		content := f[start:][:f.number(start-inner, inner)]
		if kind == 5 {
			return string(content)
		}
		return append([]byte{}, content...)
	case kind == 26:
		return f.number(at, width) != 0
	case kind == 9:
		at = f.follow(at, width)
		keys, keyWidth := f.follow(at-3*inner, inner), int(f.number(at-2*inner, inner))
		count := int(f.number(at-inner, inner))
		entries := map[string]any{}
		for i := 0; i < count; i++ {
			key := f[f.follow(keys+i*keyWidth, keyWidth):]
			for size := 0; ; size++ {
				if key[size] == 0 {
					key = key[:size]
					break
				}
			}
			entries[string(key)] = f.value(at+i*inner, inner, f[at+count*inner+i], depth+1)
		}
		return entries
	default:
		panic(fmt.Sprintf("a type of FlexBuffers (%d) that Go does not read", kind))
	}
}

func read(data []byte, variant int, refs []*Ref) any {
	if end := len(data) - 2; variant == 0 {
		width := int(data[end+1])
		return flex(data).value(end-width, width, data[end], 0)
	}
	reader := plain{data, refs}
	value := reader.value(0)
	if variant != 1 || len(reader.data) != 0 {
		panic(fmt.Sprintf("a value of variant %d with %d bytes after its end", variant, len(reader.data)))
	}
	return value
}
