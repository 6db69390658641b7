/* Templates are static inline functions whose constant arguments select the variant: they must be inlined to fold. */
#ifndef EDGE_INLINE_H
#define EDGE_INLINE_H

#if defined(__GNUC__)
#define EDGE_INLINE static inline __attribute__((always_inline))
#else
#define EDGE_INLINE static inline
#endif

#endif
