/* What C11 has no words for.
 *
 * EDGE_INLINE: templates are static inline functions whose constant arguments select the variant: they must be inlined
 * to fold. EDGE_ASK: a cache line that will be needed soon, wherever it is; advice only, and no access. */
#ifndef EDGE_INLINE_H
#define EDGE_INLINE_H

#if defined(__GNUC__)
#define EDGE_INLINE       static inline __attribute__((always_inline))
#define EDGE_ASK(address) __builtin_prefetch(address)
#else
#define EDGE_INLINE       static inline
#define EDGE_ASK(address) ((void)(address))
#endif

#endif
