/* Random orthogonal matrices: the Q of a QR decomposition. */
#ifndef TONNX_RUNTIME_ORTHOGONAL_IMPL_H
#define TONNX_RUNTIME_ORTHOGONAL_IMPL_H

#include <stddef.h>

#include "runtime/status_impl.h"

/* w[rows,cols], row-major, of independent normals, becomes a matrix with orthonormal rows, or columns where there are
 * fewer of those: Q of W = QR (of Wᵀ where rows < cols), each column's sign that of R's diagonal, so that Q is uniform
 * over all such matrices (Mezzadri 2007, "How to generate random matrices from the classical compact groups"). */
tonnx_status tonnx__orthogonal(double *w, size_t rows, size_t cols);

#endif
