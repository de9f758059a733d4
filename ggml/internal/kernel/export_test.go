package kernel

// ReferenceProduct is the plain way to multiply with weights of a type as p does, in the layout of panels of nr columns.
func ReferenceProduct(p *Product, typ, nr int) *Product {
	f := products[typ]
	if f.panelBytes(block, nr) != p.PanelBytes(block) {
		f = splitQ8_0
	}
	return productGeneric(f, p.MR, nr)
}
