"""Words that Trino, Hive, Iceberg and the services of AWS use in their messages of errors.

Sources: Trino's error codes (StandardErrorCode and those of its connectors) and the wording of its
functions, casts, readers and analyser; Athena's guide "Troubleshooting in Athena"; the errors of
Glue, Lake Formation, S3, KMS, Lambda and STS.
"""

from __future__ import annotations

_TYPES = """
    array bigint bool boolean char character decimal double float geometry hyperloglog int integer
    interval ipaddress json map numeric qdigest real row smallint sphericalgeography string struct
    tdigest time timestamp tinyint uniontype unknown uuid varbinary varchar
"""
_CODES = """
    administratively already ambiguous amount architecture bad base64 bind budget built cannot
    canonicalization compiler cpu cursor dependency disconnected dispatched division duplicate
    encoding exceeded exhausted expired explicit fault feature filesystem generic gone heap
    illegal implicit incompatible injected insufficient internal killed leader local mismatch
    missing nested nondeterministic overflow planning privilege process proxy purge recursion
    redirection remote reservation resources rollback scoped serialization server serving shutdown
    shutting spill spills stalled startup stopped surrogate syntax timeout token trailing
    transaction truncated typed unexpected unsupported usage validation version violation virtual
    writer
"""
_SERVICES = """
    access account accounts acl amazon amazonaws apache api arn assume assumed athena attached
    avro aws awsdatacatalog awssdk azure bucket buckets c3 catalog catalogs center client
    cloudwatch codec com compression configuration configured connection connections connector
    control created credential credentials csv data database databases datacatalog datasource
    delta denied dynamodb encrypted encryption endpoint exec federated federation filter
    firehose formation glue gluecatalog grant grants group groups hadoop hive host html http
    https hudi iam iceberg id identity io ip java javax jdbc jsonserde key keys kinesis kms lake
    lakeformation lambda lang link links location logs manager mapred mapreduce metastore method
    multipart net network object objects openx orc org organization output owner parquet perform
    permission permissions policies policy prefix presto prestodb principal profile provider ql
    quota rate read redshift region request requester requests resource response role roles s3
    scp sdk secret secrets secretsmanager security serde service services session signature size
    slow slowdown snapshot software source sources spark sql ssl status storage store sts system
    tag tags thread throttled throttling tokens trino url user users util view views vpc
    warehouse workgroup workgroups write writing xml zip
"""
_VERBS = """
    abort aborted accept accepted accepts accessed add added adding addition aggregate
    aggregated allow allowed allows alter alternate analyze analyzed analyzing apologize appear
    appears applied apply assigned associated attempt attempted attempting be been begin
    beginning begins being belong belongs bound build call called calling can cancel canceled
    cancelled cast casting casts change changed charged check checking clear close closed coerce
    coerced combine commit committed committing compare compared compile complete completed
    compute configure connect contact contain contained containing contains convert converted
    converting could create creating declare declared decode decoded decoding decompress define
    defined delete deleted deleting denies deny depends describe deserialize deserializing did
    differ differs disabled disallowed divide do does doing done drop dropped dropping enable
    enabled encode encounter encountered encrypt end ended ending ends enforce equal equals
    escape establish evaluate evaluated evaluating exceed exceeds execute executed executing
    exist existed existing exists expect expected expecting experienced expire extract fail
    failed failing fails fetch fetched fetching find finish finished fit fits follow followed
    following found generate generated get getting given got grow had handle has have having hit
    ignore ignored ignoring implement implemented include included includes increase infer
    insert inserted inserting is join joined know known lack lacks limited list listed listing
    load loaded loading locate located lock lookup lost made make making malformed match matched
    matches matching merge merged merging modified modify move moved must need needed needs nest
    occur occurred occurs open opened opening order ordered overflowed overflows parse parsed
    parsing partitioned pass passed performed permitted please populated prepare prepared
    present preventing processed processing prohibited project projected provide provided purged
    put qualified queries query queued quote ran reach reached reading reads recognize
    recognized recreate redirected reduce reduced refer reference referenced references refused
    register registered reject rejected remove removed rename renamed repeated replace replaced
    represent represented represents requested require required requires reserved reset resolve
    resolved resolving retried retries retrieving retry retrying return returned returning
    returns rewrite run running runs said say says scan scanned see select selected send sent
    serialize set setting should sort specified specify split start started starting starts stop
    stored submit submitted submitting succeed support supported supports tell terminated throw
    thrown throws timed transform truncate try trying unable unclosed understand unregistered
    update updated updating upgrade use used uses using validate verify wait waiting was went
    were will with would writes written wrong
"""
_NOUNS = """
    action actions age aggregation aggregations alias aliases alternative analysis anchor
    annotation append argument arguments arithmetic arity arrays assistance assumption attempts
    attribute attributes author authorization authorized base based binary bit bits bitwise
    block boundaries boundary bounds bracket branch buffer byte bytes cardinality case cause
    causes characters checksum class clause clauses cluster code coercion collection color
    column columns combination comma comment common comparison condition conflict conflicting
    constant constants constraint constraints constructor consumers content context conversion
    count cross cube current customer cycle date dates day days ddl deadline default definition
    delimiter deployment depth descriptor digit digits dimension dimensions directory distinct
    document drift driver duration element elements empty entities entity entries entry enum eof
    epoch error errors evaluation events example exception exceptions execution exponent
    expression expressions extended extension external extraneous factor failure failures false
    field fields file files filters folder footer format formats forum fraction function
    functions gb global grouping hash header hex hour hours identity ids inconvenience index
    indexes infinity inner input inputs instance invocation invoke issue item items iteration
    iterations kb kind label language latitude length lengths letter letters level levels
    library lifetime limit limits line lines literal literals longitude low lower manifest maps
    mask maximum mb measure member memory message meta metadata millisecond milliseconds minimum
    minus minute minutes mismatched mismatches mode model modifier modulo month months multiple
    multiplication name named names nan nanosecond nanoseconds navigation near negation node
    nodes none null nulls number numbers offset offsets operand operands operation operations
    operator operators option options ordinal ordinality origin outer outside overwrite page
    pages parameter parameters parentheses part partition partitions parts password path paths
    pattern patterns pb percent percentage percentile period place placeholder plan plus point
    points pool position positions power precision predicate primary privileges problem problems
    procedure processor projection properties property protocol quantified quantifier question
    radix range ranges rank reader reason record records recursive regex regexp regular relation
    relations replacement result results retention right rollup root rounding rows rule runtime
    sample scalar scale schema schemas scheme schemes scope search second seconds section seed
    segment semantic sequence series sets settings shape side sign skew slice snapshots sorting
    space spec specification splits square stage stages state statement statements statistics
    step stream strings stripe structure style sub subfield subqueries subquery subscript
    subtraction suffix sum symbol table tables target task tasks tb temp temporary text
    threshold ticks timestamps timezone title top total transactions transforms tree trim true
    trunc type types unicode union unit units unnest upper uri utf value values variable
    variables variant week weight window windows word worker workers writers year years zero
    zone zones
"""
_OTHER = """
    a about above absolute absolutely across actual adjacent after again against all allocated
    also although always among an and another any approximate approximately are aren't as at
    available aware back because before below best between beyond both broken but by can't
    classpath clean compatible complex concurrent conditional consecutive consider consistent
    contiguous correct correctly corrupt corrupted couldn't currently d deep deeply
    deterministic didn't different direct directly doesn't don't due during each either eligible
    else enough entire even ever every exactly except exclusive explicitly few fewer final
    finite first fixed for from full fully further general greater hasn't haven't hexadecimal
    higher identical if immutable in inclusive inconsistent incorrect incorrectly independent
    indeterminate individual initial instead intermediate into invalid isn't it its itself just
    large larger largest last later latest least left legacy less like likely ll logical long
    longer m manually many max may means min mixed moment more most much mutable native nearest
    necessary negative neither never new newer next no non nonexistent nonnegative nor normal
    not nothing now of off old older on once one only or original other otherwise our out over
    own partial particular per permanently positive possible possibly post potentially previous
    prior proper properly protected public purely quickly random raw re ready recent recognition
    recursively regardless related relative remaining reoccurs resulting s same scheduled self
    several short shorter shouldn't simple simultaneously single small smaller some sorted stale
    static still strict subsequent such sufficient t temporarily than that the their them then
    there these they this those three through thus to together too top trusted twice two
    unavailable unbounded undefined under underlying unequal unhandled unique unless unparseable
    unprocessed unquoted unreachable unreadable unrecognized unsafe unsigned unsorted until
    unusable up upon valid ve very via viable visible wasn't we weren't what when where whether
    which while who whole whose why within without won't yet you your
"""

_CONNECTING = """
    a allowed already an and are aren't as at base64 be because been being but by can can't
    cannot character class column columns contains could count date delimiter did didn't do does
    doesn't don't evaluation exceeded exceeds failed field fields file files for format from got
    group had has have id in index input into is isn't key keys length limit list literal
    location may members must names near no not null of on or out overflow partition partitions
    path provider recognition row schema schemas size spec stream syntax table than that the to
    too type types used value values was were when which will with without would
"""

AFTER_SLOT = tuple(sorted({*_CONNECTING.split(), *_TYPES.split()}))
"""Words that are no value where one may stand."""

NAME_WORDS = frozenset(("awsdatacatalog", *_TYPES.split()))
MESSAGE_WORDS = frozenset(" ".join((_TYPES, _CODES, _SERVICES, _VERBS, _NOUNS, _OTHER)).split())
"""In lower case. None is there that is only a person's name or a value."""
