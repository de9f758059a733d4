package kernel

// ReferenceProduct is the plain way to multiply with weights of a type, in the layout of panels of nr columns.
func ReferenceProduct(typ, mr, nr int) *Product { return productGeneric(products[typ], mr, nr) }
