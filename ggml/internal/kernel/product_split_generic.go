package kernel

import "encoding/binary"

func encodeSplitGeneric(dst []byte, x []float32) {
	checkEncode(dst, x, rowOfWords(len(x)))
	a := largest(x)
	by := wordLevels / a
	for i, v := range x {
		q := toInt(float32(v*by), wordLevels)
		at := dst[i/block*2*block+i%block:]
		at[0], at[block] = byte(q>>8), byte(q)-128
	}
	putFloat(dst[2*len(x):], a/wordLevels)
}

// sumOfSplit is sumOfBytes for split activations.
func (f *stored) sumOfSplit(row, panel []byte, blocks, j, nr int) (total [4]float32) {
	line := 4 * nr
	for b := range blocks {
		a, w := row[2*b*block:][:2*block], panel[b*byteLines*line+4*j:]
		scales := w[(byteLines-1)*line:]
		for c := range total {
			s := int32(binary.LittleEndian.Uint32(w[4*c:]))
			for k := range block {
				s += (int32(int8(a[k]))<<8 + int32(int8(a[block+k]))) * int32(int8(w[(1+k/4)*line+4*c+k%4]))
			}
			total[c] += float32(float32(s) * floatAt(scales[4*c:]))
		}
	}
	scale := floatAt(row[2*block*blocks:])
	for c := range total {
		total[c] *= scale
	}
	return total
}
