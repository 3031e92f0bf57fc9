"""The names that snippets may import, module by module. What is not listed does not exist.

`__all__` of a module is no guide: numpy's holds `fromfile`. `modules` and `episode` replace some
of the listed functions by guarded ones.
"""

from __future__ import annotations

__all__ = ["ALLOWED", "EPISODE", "OPTIONAL"]

ALLOWED: dict[str, str] = {
    "math": (
        "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist "
        "e erf erfc exp exp2 expm1 fabs factorial floor fma fmod frexp fsum gamma gcd hypot "
        "inf isclose isfinite isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf "
        "nan nextafter perm pi pow prod radians remainder sin sinh sqrt sumprod tan tanh tau "
        "trunc ulp"
    ),
    "cmath": (
        "acos acosh asin asinh atan atanh cos cosh e exp inf infj isclose isfinite isinf "
        "isnan log log10 nan nanj phase pi polar rect sin sinh sqrt tan tanh tau"
    ),
    "fractions": "Fraction",
    "decimal": (
        "Clamped Context ConversionSyntax Decimal DecimalException DecimalTuple "
        "DivisionByZero DivisionImpossible DivisionUndefined FloatOperation Inexact "
        "InvalidContext InvalidOperation MAX_EMAX MAX_PREC MIN_EMIN MIN_ETINY Overflow "
        "ROUND_05UP ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN "
        "ROUND_HALF_UP ROUND_UP Rounded Subnormal Underflow getcontext localcontext "
        "setcontext"
    ),
    "statistics": (
        "NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean "
        "kde linear_regression mean median median_grouped median_high median_low mode "
        "multimode pstdev pvariance quantiles stdev variance"
    ),
    "itertools": (
        "accumulate batched chain combinations combinations_with_replacement compress count "
        "cycle dropwhile filterfalse groupby islice pairwise permutations product repeat "
        "starmap takewhile tee zip_longest"
    ),
    "functools": (
        "cache cached_property cmp_to_key lru_cache partial partialmethod reduce "
        "singledispatch singledispatchmethod total_ordering update_wrapper wraps"
    ),
    "collections": (
        "ChainMap Counter OrderedDict UserDict UserList abc defaultdict deque namedtuple"
    ),
    "collections.abc": (
        "AsyncGenerator AsyncIterable AsyncIterator Awaitable Callable Collection Container "
        "Coroutine Generator Hashable ItemsView Iterable Iterator KeysView Mapping "
        "MappingView MutableMapping MutableSequence MutableSet Reversible Sequence Set Sized "
        "ValuesView"
    ),
    "heapq": ("heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest"),
    "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
    "operator": (
        "abs add and_ attrgetter call concat contains countOf delitem eq floordiv ge getitem "
        "gt iadd iand iconcat ifloordiv ilshift imatmul imod imul index indexOf inv invert "
        "ior ipow irshift is_ is_not isub itemgetter itruediv ixor le length_hint lshift lt "
        "matmul methodcaller mod mul ne neg not_ or_ pos pow rshift setitem sub truediv truth "
        "xor"
    ),
    "string": (
        "Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits "
        "octdigits printable punctuation whitespace"
    ),
    "re": (
        "A ASCII DOTALL I IGNORECASE L LOCALE M MULTILINE Match NOFLAG Pattern RegexFlag S U "
        "UNICODE VERBOSE X compile error escape findall finditer fullmatch match search split "
        "sub subn"
    ),
    "datetime": "MAXYEAR MINYEAR UTC date datetime time timedelta timezone tzinfo",
    "copy": "Error copy deepcopy",
    "typing": (
        "AbstractSet Annotated Any AnyStr AsyncGenerator AsyncIterable AsyncIterator "
        "Awaitable Callable ChainMap ClassVar Collection Concatenate Container ContextManager "
        "Coroutine Counter DefaultDict Deque Dict Final FrozenSet Generator Generic Hashable "
        "ItemsView Iterable Iterator KeysView List Literal LiteralString Mapping MappingView "
        "Match MutableMapping MutableSequence MutableSet NamedTuple Never NewType NoReturn "
        "NotRequired Optional OrderedDict ParamSpec Pattern Protocol Required Reversible Self "
        "Sequence Set Sized SupportsAbs SupportsBytes SupportsComplex SupportsFloat "
        "SupportsIndex SupportsInt SupportsRound TYPE_CHECKING Text Tuple Type TypeAlias "
        "TypeGuard TypeVar TypeVarTuple TypedDict Union Unpack ValuesView assert_never "
        "assert_type cast final get_args get_origin overload override runtime_checkable"
    ),
    "dataclasses": (
        "FrozenInstanceError InitVar KW_ONLY MISSING asdict astuple dataclass field fields "
        "is_dataclass make_dataclass replace"
    ),
    "enum": (
        "CONFORM CONTINUOUS EJECT Enum EnumMeta EnumType Flag IntEnum IntFlag KEEP "
        "NAMED_FLAGS ReprEnum STRICT StrEnum UNIQUE auto member nonmember property unique "
        "verify"
    ),
    "numbers": "Complex Integral Number Rational Real",
    "calendar": (
        "Calendar FRIDAY HTMLCalendar IllegalMonthError IllegalWeekdayError MONDAY SATURDAY "
        "SUNDAY THURSDAY TUESDAY TextCalendar WEDNESDAY calendar day_abbr day_name "
        "firstweekday isleap leapdays month month_abbr month_name monthcalendar monthrange "
        "prcal prmonth timegm weekday weekheader"
    ),
    "json": "JSONDecodeError JSONDecoder JSONEncoder dump dumps load loads",
    "textwrap": "TextWrapper dedent fill indent shorten wrap",
    "array": "ArrayType array typecodes",
    "abc": "ABC ABCMeta abstractclassmethod abstractmethod abstractproperty abstractstaticmethod",
    "pprint": "PrettyPrinter isreadable isrecursive pformat pp pprint saferepr",
    "unicodedata": (
        "bidirectional category combining decimal decomposition digit east_asian_width "
        "is_normalized lookup mirrored name normalize numeric unidata_version"
    ),
    "io": "BytesIO StringIO",
    "types": (
        "BuiltinFunctionType FunctionType GeneratorType LambdaType MappingProxyType "
        "MethodType ModuleType NoneType SimpleNamespace"
    ),
    "queue": "Empty Full LifoQueue PriorityQueue Queue SimpleQueue",
    "hashlib": (
        "blake2b blake2s md5 sha1 sha224 sha256 sha384 sha3_224 sha3_256 sha3_384 sha3_512 sha512"
    ),
    "base64": (
        "b16decode b16encode b32decode b32encode b64decode b64encode b85decode b85encode "
        "urlsafe_b64decode urlsafe_b64encode"
    ),
    "struct": "Struct calcsize error pack unpack unpack_from",
    "graphlib": "CycleError TopologicalSorter",
    "difflib": "SequenceMatcher get_close_matches ndiff unified_diff",
    "ast": "literal_eval",
    "timeit": "default_timer",
}
"""Modules of the standard library: dotted name to the names that a snippet sees in it."""

EPISODE: dict[str, str] = {
    "random": (
        "Random betavariate choice choices expovariate gammavariate gauss getrandbits "
        "getstate lognormvariate normalvariate paretovariate randbytes randint random "
        "randrange sample seed setstate shuffle triangular uniform vonmisesvariate "
        "weibullvariate"
    ),
    "time": (
        "asctime ctime gmtime localtime mktime monotonic monotonic_ns perf_counter "
        "perf_counter_ns process_time process_time_ns sleep strftime strptime struct_time "
        "thread_time time time_ns timezone tzname"
    ),
    "sys": (
        "argv byteorder exit float_info getrecursionlimit getsizeof hash_info int_info intern "
        "maxsize maxunicode platform set_int_max_str_digits setrecursionlimit stderr stdin "
        "stdout version version_info"
    ),
    "contextlib": (
        "AbstractContextManager AsyncExitStack ContextDecorator ExitStack aclosing "
        "asynccontextmanager closing contextmanager nullcontext redirect_stderr "
        "redirect_stdout suppress"
    ),
    "warnings": "catch_warnings filterwarnings resetwarnings simplefilter warn",
    "traceback": "format_exc print_exc",
    "numpy.random": (
        "Generator RandomState beta binomial bytes chisquare choice default_rng dirichlet "
        "exponential gamma geometric gumbel hypergeometric laplace logistic lognormal "
        "multinomial multivariate_normal negative_binomial normal pareto permutation poisson "
        "power rand randint randn random random_sample ranf sample seed shuffle "
        "standard_cauchy standard_exponential standard_gamma standard_normal standard_t "
        "triangular uniform vonmises wald weibull zipf"
    ),
    "asyncio": (
        "CancelledError Event Lock Queue Semaphore TimeoutError create_task ensure_future "
        "gather iscoroutinefunction run sleep wait_for"
    ),
}
"""Modules that each interpreter has its own copy of: randomness, clocks, streams."""

_SYMPY = (
    "Abs AccumBounds Add Adjoint AlgebraicNumber And Array Atom Basic BlockDiagMatrix "
    "BlockMatrix CC CRootOf Catalan Chi Ci Circle Complement Complexes ComplexRegion "
    "ConditionSet Contains Curve Derivative Determinant DiagMatrix DiagonalMatrix Dict "
    "DiracDelta Dummy E E1 EX Ei Ellipse EmptySequence EmptySet Eq Equality Equivalent "
    "EulerGamma Expr FF FallingFactorial FiniteSet Float FourierTransform Function GF Ge "
    "GoldenRatio GramSchmidt GreaterThan Gt HadamardPower HadamardProduct Heaviside I ITE Id "
    "Identity Idx ImageSet ImmutableDenseMatrix ImmutableMatrix ImmutableSparseMatrix Implies "
    "Indexed IndexedBase Integer Integers Integral Intersection Interval Inverse "
    "InverseFourierTransform InverseLaplaceTransform KroneckerDelta KroneckerProduct LC LM LT "
    "Lambda LambertW LaplaceTransform Le LessThan LeviCivita Li Limit Line Line2D Line3D Lt "
    "MatAdd MatMul MatPow Matrix MatrixBase MatrixExpr MatrixSymbol Max Min Mod Monomial Mul "
    "MutableDenseMatrix MutableMatrix MutableSparseMatrix N Nand Naturals Naturals0 Ne Nor "
    "Not Number NumberSymbol O OneMatrix Or Order POSform Parabola Permanent "
    "PermutationMatrix Piecewise Plane Point Point2D Point3D PoleError Poly Polygon "
    "PolynomialError Pow PowerSet Product ProductSet PurePoly Q QQ Quaternion RR Range "
    "Rational Rationals Ray Ray2D Ray3D Reals RegularPolygon Rel RisingFactorial RootOf "
    "RootSum S SOPform Segment Segment2D Segment3D SeqFormula SeqPer Set ShapeError Shi Si "
    "SingularityFunction SparseMatrix StrictGreaterThan StrictLessThan Subs Sum Symbol "
    "SymmetricDifference SympifyError Trace Transpose Triangle TribonacciConstant Tuple "
    "Unequality UnevaluatedExpr Union UniversalSet Wild WildFunction Xor Ynm ZZ ZeroMatrix "
    "abundance acos acosh acot acoth acsc acsch adjoint airyai airyaiprime airybi airybiprime "
    "all_roots apart apply_finite_diff approximants arg arity asec asech asin asinh ask "
    "assoc_laguerre assoc_legendre assuming atan atan2 atanh banded bell bernoulli besseli "
    "besselj besselk bessely beta binomial binomial_coefficients binomial_coefficients_list "
    "bspline_basis cancel carmichael cartes casoratian catalan cbrt ceiling centroid "
    "chebyshevt chebyshevt_poly chebyshevu chebyshevu_poly check_assumptions checkodesol "
    "checksol classify_ode closest_points cofactors collect collect_const combsimp comp "
    "compose composite compositepi conjugate content continued_fraction "
    "continued_fraction_convergents continued_fraction_iterator continued_fraction_periodic "
    "continued_fraction_reduce convex_hull convolution cos cosh cot coth count_ops "
    "count_roots csc csch cse cycle_length cyclotomic_poly decompogen decompose "
    "default_sort_key deg degree degree_list denom det diag diff difference_delta "
    "differentiate_finite digamma diophantine dirichlet_eta discrete_log discriminant div "
    "divisor_count divisor_sigma divisors dotprint dsolve egyptian_fraction elliptic_e "
    "elliptic_f elliptic_k elliptic_pi erf erf2 erf2inv erfc erfcinv erfi erfinv euler "
    "euler_equations evaluate exp exp_polar expand expand_complex expand_func expand_log "
    "expand_mul expand_multinomial expand_power_base expand_power_exp expand_trig expint "
    "exptrigsimp exquo eye factor factor_list factor_nc factor_terms factorial factorial2 "
    "factorint factorrat false farthest_points ff fft fibonacci field field_isomorphism "
    "finite_diff_weights flatten floor fourier_series fourier_transform fps frac fraction "
    "fresnelc fresnels fu fwht galois_group gamma gammasimp gcd gcd_list gcd_terms gcdex "
    "gegenbauer genocchi gff gff_list grevlex grlex groebner ground_roots group gruntz "
    "hadamard_product half_gcdex hankel1 hankel2 harmonic has_dups has_variety hermite "
    "hermite_poly hessian hn1 hn2 homogeneous_order horner hyper hyperexpand hypersimp idiff "
    "ifft igcd ilcm ilex im imageset integer_log integer_nthroot integrate interpolate "
    "interpolating_poly interpolating_spline intersection intervals invert "
    "inverse_fourier_transform inverse_laplace_transform inverse_mellin_transform is_abundant "
    "is_amicable is_convex is_decreasing is_deficient is_increasing is_mersenne_prime "
    "is_monotonic is_nthpow_residue is_perfect is_primitive_root is_quad_residue "
    "is_strictly_decreasing is_strictly_increasing is_zero_dimensional isolate isprime "
    "itermonomials jacobi jacobi_poly jacobi_symbol jn jn_zeros jordan_cell kronecker_product "
    "kronecker_symbol laguerre laguerre_poly lambdify laplace_transform latex lcm lcm_list "
    "legendre legendre_poly legendre_symbol lex li limit limit_seq line_integrate "
    "linear_eq_to_matrix linsolve ln log logcombine loggamma lowergamma lucas matrix2numpy "
    "matrix_multiply_elementwise matrix_symbols maximum meijerg mellin_transform "
    "mersenne_prime_exponent minimal_polynomial minimum minpoly mobius mod_inverse monic "
    "motzkin multinomial_coefficients multiplicity n_order nan nextprime nfloat nonlinsolve "
    "not_empty_in npartitions nroots nsimplify nsolve nth_power_roots_poly nthroot_mod "
    "num_digits numbered_symbols numer ode_order ones oo ordered parse_expr partition pdiv "
    "pdsolve per perfect_power periodic_argument periodicity pexquo pi piecewise_fold "
    "polar_lift pollard_pm1 pollard_rho poly polygamma polylog polys postorder_traversal "
    "powdenest powsimp pprint pquo prem preorder_traversal pretty pretty_print prevprime "
    "prime prime_decomp primefactors primenu primeomega primepi primerange primitive "
    "primitive_root primorial print_latex prod product proper_divisor_count proper_divisors "
    "pycode quadratic_congruence quadratic_residues quo rad radsimp randMatrix random_poly "
    "randprime rational_interpolate ratsimp rcollect re real_root real_roots "
    "reduce_abs_inequality reduce_inequalities reduced refine refine_root rem residue "
    "resultant rf riemann_xi ring root rootof roots rot_axis1 rot_axis2 rot_axis3 rotations "
    "rsolve rsolve_poly rsolve_ratio satisfiable sec sech separatevars sequence series shape "
    "sieve sift sign signsimp simplify simplify_logic sin sinc singularities sinh solve "
    "solve_linear solve_linear_system solve_linear_system_LU solve_poly_inequality "
    "solve_poly_system solve_rational_inequalities solve_triangulated "
    "solve_undetermined_coeffs solve_univariate_inequality solveset sqf sqf_list sqf_norm "
    "sqf_part sqrt sqrt_mod sqrt_mod_iter sqrtdenest srepr sring sstr stationary_points "
    "stieltjes sturm subfactorial subresultants subsets substitution summation "
    "swinnerton_dyer_poly symbols symmetric_poly symmetrize sympify take tan tanh terms_gcd "
    "to_cnf to_dnf to_nnf together topological_sort total_degree totient trace trailing "
    "transpose tribonacci trigamma trigsimp true trunc unflatten unpolarify uppergamma var "
    "variations viete wronskian xfield xring yn zeros zeta zoo"
)

_NUMPY = (
    "False_ ScalarType True_ abs absolute acos acosh add all allclose amax amin angle any "
    "append apply_along_axis apply_over_axes arange arccos arccosh arcsin arcsinh arctan "
    "arctan2 arctanh argmax argmin argpartition argsort argwhere around array array2string "
    "array_equal array_equiv array_repr array_split array_str asanyarray asarray "
    "asarray_chkfinite ascontiguousarray asin asinh astype atan atan2 atanh atleast_1d "
    "atleast_2d atleast_3d average bartlett base_repr binary_repr bincount bitwise_and "
    "bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or "
    "bitwise_right_shift bitwise_xor blackman block bool bool_ broadcast broadcast_arrays "
    "broadcast_shapes broadcast_to busday_count busday_offset byte bytes_ c_ can_cast cbrt "
    "cdouble ceil character choose clip column_stack complex128 complex64 complexfloating "
    "compress concat concatenate conj conjugate convolve copy copysign copyto corrcoef "
    "correlate cos cosh count_nonzero cov cross csingle cumprod cumsum cumulative_prod "
    "cumulative_sum datetime64 datetime_as_string deg2rad degrees delete diag diag_indices "
    "diag_indices_from diagflat diagonal diff digitize divide divmod dot double dsplit dstack "
    "dtype e ediff1d einsum einsum_path empty empty_like equal errstate euler_gamma exp exp2 "
    "expand_dims expm1 extract eye fabs fft fill_diagonal finfo fix flatiter flatnonzero "
    "flexible flip fliplr flipud float16 float32 float64 float_power floating floor "
    "floor_divide fmax fmin fmod format_float_positional format_float_scientific frexp "
    "frombuffer fromfunction fromiter frompyfunc full full_like gcd generic geomspace "
    "get_printoptions geterr gradient greater greater_equal half hamming hanning heaviside "
    "histogram histogram2d histogram_bin_edges histogramdd hsplit hstack hypot i0 identity "
    "iinfo imag index_exp indices inexact inf inner insert int16 int32 int64 int8 int_ intc "
    "integer interp intersect1d intp invert isclose iscomplex iscomplexobj isdtype isfinite "
    "isin isinf isnan isnat isneginf isposinf isreal isrealobj isscalar issubdtype iterable "
    "ix_ kaiser kron lcm ldexp left_shift less less_equal lexsort linalg linspace log log10 "
    "log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logspace "
    "long longdouble longlong mask_indices matmul matrix matrix_transpose matvec max maximum "
    "mean median meshgrid mgrid min min_scalar_type minimum mod modf moveaxis multiply nan "
    "nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin "
    "nanpercentile nanprod nanquantile nanstd nansum nanvar ndarray ndenumerate ndim ndindex "
    "nditer negative newaxis nextafter nonzero not_equal number object_ ogrid ones ones_like "
    "outer packbits pad partition percentile permute_dims pi piecewise place poly poly1d "
    "polyadd polyder polydiv polyfit polyint polymul polynomial polysub polyval positive pow "
    "power printoptions prod promote_types ptp put put_along_axis putmask quantile r_ rad2deg "
    "radians random ravel ravel_multi_index real real_if_close reciprocal remainder repeat "
    "require reshape resize result_type right_shift rint roll rollaxis roots rot90 round "
    "row_stack s_ searchsorted select set_printoptions setdiff1d seterr setxor1d shape short "
    "sign signbit signedinteger sin sinc single sinh size sort sort_complex spacing split "
    "sqrt square squeeze stack std str_ subtract sum swapaxes take take_along_axis tan tanh "
    "tensordot tile timedelta64 trace transpose trapezoid trapz tri tril tril_indices "
    "tril_indices_from trim_zeros triu triu_indices triu_indices_from true_divide trunc ubyte "
    "ufunc uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong union1d unique "
    "unique_all unique_counts unique_inverse unique_values unpackbits unravel_index "
    "unsignedinteger unstack unwrap ushort vander var vdot vecdot vecmat vectorize void "
    "vsplit vstack where zeros zeros_like"
)

OPTIONAL: dict[str, str] = {
    "sympy": _SYMPY + " abc combinatorics geometry logic matrices ntheory polys solvers",
    "sympy.abc": (
        "a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D F G H J K L M P R T U V "
        "W X Y Z alpha beta gamma delta epsilon zeta eta theta iota kappa mu nu xi omicron "
        "rho sigma tau upsilon phi chi psi omega"
    ),
    "sympy.ntheory": (
        "divisor_count divisor_sigma divisors factorint is_primitive_root is_quad_residue "
        "isprime jacobi_symbol legendre_symbol mobius multiplicity n_order nextprime "
        "npartitions nthroot_mod perfect_power prevprime prime primefactors primenu "
        "primeomega primepi primerange primitive_root primorial proper_divisors randprime "
        "sieve sqrt_mod totient trailing discrete_log"
    ),
    "sympy.ntheory.modular": "crt crt1 crt2 solve_congruence symmetric_residue",
    "sympy.ntheory.factor_": "factorint divisors totient primefactors divisor_count divisor_sigma",
    "sympy.ntheory.primetest": "isprime is_square",
    "sympy.ntheory.generate": "isprime nextprime prevprime prime primepi primerange randprime",
    "sympy.solvers": (
        "diophantine dsolve linsolve nonlinsolve nsolve reduce_inequalities rsolve solve "
        "solve_linear solve_linear_system solve_poly_system solve_univariate_inequality "
        "solveset solve_undetermined_coeffs"
    ),
    "sympy.solvers.diophantine": "diophantine",
    "sympy.solvers.inequalities": "reduce_inequalities solve_univariate_inequality",
    "sympy.solvers.solveset": "linsolve nonlinsolve solveset",
    "sympy.geometry": (
        "Circle Curve Ellipse Line Line2D Line3D Parabola Plane Point Point2D Point3D Polygon "
        "Ray RegularPolygon Segment Triangle are_similar centroid convex_hull deg "
        "intersection rad"
    ),
    "sympy.combinatorics": "Cycle Permutation PermutationGroup",
    "sympy.combinatorics.permutations": "Cycle Permutation",
    "sympy.functions.combinatorial.factorials": "binomial factorial factorial2 subfactorial",
    "sympy.functions.combinatorial.numbers": (
        "bell bernoulli catalan euler fibonacci harmonic lucas nC nP nT stirling"
    ),
    "sympy.logic": "And Equivalent Implies Nand Nor Not Or Xor satisfiable simplify_logic to_cnf",
    "sympy.logic.boolalg": (
        "And Equivalent Implies Nand Nor Not Or Xor simplify_logic to_cnf to_dnf true false"
    ),
    "sympy.matrices": "Matrix SparseMatrix diag eye ones zeros",
    "sympy.polys": "Poly factor gcd lcm roots cancel apart together groebner resultant",
    "sympy.polys.polytools": "Poly factor factor_list gcd lcm cancel groebner resultant",
    "sympy.parsing.sympy_parser": (
        "convert_xor implicit_application implicit_multiplication "
        "implicit_multiplication_application parse_expr standard_transformations"
    ),
    "sympy.utilities.iterables": (
        "cartes flatten multiset_partitions multiset_permutations partitions permutations "
        "subsets variations"
    ),
    "sympy.core.symbol": "Dummy Symbol symbols",
    "sympy.calculus.util": (
        "continuous_domain function_range maximum minimum periodicity stationary_points"
    ),
    "numpy": _NUMPY,
    "numpy.linalg": (
        "LinAlgError cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq "
        "matmul matrix_norm matrix_power matrix_rank matrix_transpose multi_dot norm outer "
        "pinv qr slogdet solve svd svdvals tensordot tensorinv tensorsolve trace vecdot "
        "vector_norm"
    ),
    "numpy.fft": (
        "fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 "
        "irfftn rfft rfft2 rfftfreq rfftn"
    ),
    "numpy.polynomial": "Chebyshev Hermite HermiteE Laguerre Legendre Polynomial",
    "numpy.polynomial.polynomial": (
        "Polynomial polyadd polyder polydiv polyfit polyfromroots polyint polymul polyroots "
        "polysub polyval"
    ),
}
"""Modules that exist when their package is installed."""
