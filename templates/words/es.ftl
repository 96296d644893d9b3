### Lo que dicen las páginas. Las mismas claves y las mismas variables que en `en.ftl`.

## What an app may do with records of one kind. `$access` has a letter for each: r see, c add, u change, d delete.

verbs =
    { $access ->
       *[r] Ver
        [c] Añadir
        [u] Cambiar
        [d] Borrar
        [rc] Ver y añadir
        [ru] Ver y cambiar
        [rd] Ver y borrar
        [cu] Añadir y cambiar
        [cd] Añadir y borrar
        [ud] Cambiar y borrar
        [rcu] Ver, añadir y cambiar
        [rcd] Ver, añadir y borrar
        [rud] Ver, cambiar y borrar
        [cud] Añadir, cambiar y borrar
        [rcud] Ver, añadir, cambiar y borrar
    }
permission = { verbs } { $things }
permission-some = { verbs } una parte de: { $things }
detail-some = Solo lo que cumple esto: { $filter }.
detail-changes = La aplicación puede cambiar la historia misma.

## Whose records.

group-patient = En la historia de este paciente
group-user = En todas las historias que usted puede abrir
group-system = En las historias de todos los pacientes

## Kinds of records. What clinicians call them otherwise is said to them in their own words.

type-any = toda la historia de salud
    .detail = Todo lo que hay ahora y todo lo que se añada después.
type-other = otros datos ({ $name })
type-AllergyIntolerance = alergias
    .detail = Qué causa una reacción y qué tan fuerte fue.
    .clinician = alergias e intolerancias
type-Appointment = citas
type-Binary = archivos adjuntos
type-CarePlan = planes de cuidado
    .detail = Qué cuidados se prevén y quién los da.
type-CareTeam = el equipo que le atiende
    .detail = Quién toma parte en los cuidados.
    .clinician = el equipo asistencial
type-Claim = cuentas enviadas al seguro
    .clinician = reclamaciones al seguro
type-Communication = mensajes
type-Condition = problemas de salud
    .detail = Problemas de salud de ahora y de antes.
    .clinician = problemas y diagnósticos
type-Consent = decisiones sobre sus datos
    .clinician = consentimientos
type-Coverage = el seguro de salud
    .detail = Quién paga los cuidados.
    .clinician = cobertura del seguro
type-Device = implantes y aparatos
    .clinician = implantes y dispositivos
type-DiagnosticReport = informes de pruebas
    .clinician = informes diagnósticos
type-DocumentReference = notas y cartas
    .detail = Lo que ha escrito el equipo que le atiende.
    .clinician = notas clínicas y documentos
type-Encounter = visitas y estancias en el hospital
    .detail = Cuándo y dónde se dieron los cuidados.
    .clinician = encuentros
type-EpisodeOfCare = etapas de cuidado
    .clinician = episodios asistenciales
type-ExplanationOfBenefit = lo que pagó el seguro
    .clinician = explicaciones de beneficios
type-FamilyMemberHistory = enfermedades en la familia
    .clinician = antecedentes familiares
type-Flag = avisos en la historia
    .clinician = alertas
type-Goal = metas de salud
    .clinician = objetivos de salud
type-Group = grupos de pacientes
type-HealthcareService = lo que ofrece una clínica
    .clinician = servicios de salud
type-ImagingStudy = radiografías y otras imágenes
    .clinician = estudios de imagen
type-Immunization = vacunas
    .detail = Qué vacunas se pusieron y cuándo.
    .clinician = inmunizaciones
type-List = listas en la historia
type-Location = dónde se dan los cuidados
    .clinician = ubicaciones
type-Media = fotos y grabaciones
    .clinician = medios
type-Medication = medicinas
    .clinician = medicamentos
type-MedicationAdministration = dosis de medicinas dadas
    .clinician = administraciones de medicamentos
type-MedicationDispense = medicinas entregadas
    .clinician = dispensaciones de medicamentos
type-MedicationRequest = medicinas recetadas
    .detail = Qué se recetó y cómo se toma.
    .clinician = prescripciones
type-MedicationStatement = medicinas que se toman
    .clinician = declaraciones de medicación
type-NutritionOrder = dietas indicadas
    .clinician = órdenes de nutrición
type-Observation = resultados de pruebas y medidas
    .detail = Análisis, presión de la sangre, peso, tabaco y más.
    .clinician = observaciones
type-Organization = nombres de clínicas y hospitales
    .clinician = organizaciones
type-Patient = nombre, fecha de nacimiento y contacto
    .detail = También sexo, casa y teléfono.
    .clinician = datos demográficos del paciente
type-Person = personas ligadas a la historia
    .clinician = personas
type-Practitioner = nombres de médicos y enfermeras
    .clinician = profesionales
type-PractitionerRole = dónde trabajan los médicos y enfermeras
    .clinician = funciones de los profesionales
type-Procedure = tratamientos y operaciones
    .clinician = procedimientos
type-Provenance = de dónde vienen los datos
    .clinician = procedencia
type-Questionnaire = hojas de preguntas
    .clinician = cuestionarios
type-QuestionnaireResponse = respuestas a preguntas
    .clinician = respuestas a cuestionarios
type-RelatedPerson = familia y contactos
    .clinician = personas relacionadas
type-Schedule = horas de la clínica
    .clinician = agendas
type-ServiceRequest = pruebas y consultas pedidas
    .clinician = órdenes y derivaciones
type-Slot = horas libres para una visita
    .clinician = huecos de agenda
type-Specimen = muestras para pruebas
    .clinician = muestras
type-Task = tareas del equipo que le atiende
    .clinician = tareas

## Parts of a kind: the categories of US Core.

category-encounter-diagnosis = lo que se halló en cada visita
    .clinician = diagnósticos del encuentro
category-problem-list-item = la lista de problemas
    .detail = Problemas de salud que duran o que vuelven.
    .clinician = problemas de la lista
category-health-concern = lo que preocupa de la salud
    .clinician = preocupaciones de salud
category-laboratory = resultados de análisis
    .detail = Pruebas de sangre, de orina y otras así.
    .clinician = resultados de laboratorio
category-vital-signs = signos vitales
    .detail = Presión de la sangre, pulso, peso y altura.
category-social-history = modo de vida
    .detail = Tabaco, alcohol, trabajo y cosas así.
    .clinician = historia social
category-sdoh = casa, comida, dinero y seguridad
    .detail = Cosas de la vida que influyen en la salud.
    .clinician = determinantes sociales de la salud
category-survey = respuestas a preguntas de salud
    .detail = Hojas sobre dolor, ánimo y cómo va el día.
    .clinician = encuestas y evaluaciones
category-procedure = resultados de otras pruebas
    .detail = Pruebas del corazón, del oído y otras así.
    .clinician = pruebas clínicas

## What comes with signing in or starting an app.

scope-openid = Un número que le representa y cuándo entró.
scope-fhirUser = Qué ficha del sistema de salud es la suya.
scope-profile = Su nombre.
scope-email = Su correo electrónico.
scope-phone = Su número de teléfono.
scope-address = La dirección de su casa.
scope-launch = Qué paciente y qué visita tiene usted abiertos.
scope-launch-patient = De qué paciente se trata.
scope-launch-encounter = De qué visita se trata.
scope-launch-context = Qué más tiene usted abierto: { $things }.
scope-offline_access = La aplicación sigue con acceso cuando usted no está.
scope-online_access = La aplicación sigue con acceso hasta que usted salga.
scope-__launch = Abrir aplicaciones aquí, con el paciente que indique.
scope-__introspect = Preguntar para qué vale el acceso de una aplicación.

## Every page.

page-footer = Admit, el servicio de acceso de
page-error = Error
page-notice = Aviso
page-cancel = Cancelar y volver a la aplicación
page-signed-in-as = Ha entrado como
page-switch-user = ¿No es usted? Cambiar de usuario
page-sign-out = Salir
page-made-by = Hecha por
page-own-record = Su propia historia
page-whose-record = De quién es la historia
page-what-it-may-do = Qué puede hacer

## A patient, and a list of them. What was searched for stands behind `patients-for`.

patient-heading = Paciente
patient-name = Nombre
patient-birth-date = Fecha de nacimiento
patient-age = Edad
patient-sex = Sexo
patient-mrn = N.º de historia
patient-female = mujer
patient-male = hombre
patient-other = otro
patient-not-known = no se sabe
patient-years = { $count } años
patient-months =
    { $count ->
        [one] 1 mes
       *[other] { $count } meses
    }
patient-days =
    { $count ->
        [one] 1 día
       *[other] { $count } días
    }
patients-search = Buscar a un paciente
patients-find = Buscar
patients-clear = Borrar la búsqueda
patients-count =
    { $count ->
        [one] 1 paciente
       *[other] { $count } pacientes
    }
patients-for = para
patients-more = Hay más que coinciden: busque con más datos.

## The consent page. An app's name stands before `consent-asks`, names behind the words that end in "by" and "to".

consent-asks = pide acceso
consent-back-to = Después vuelve a
consent-verified-by = Comprobada por
consent-not-verified-by = No comprobada por
consent-careful = Dé acceso solo si la conoce y usted quiso abrirla.
consent-emergency = Acceso de urgencia, fuera de su lista.
consent-emergency-reason = Su razón:
consent-group-own = En su propia historia
consent-how-long = Por cuánto tiempo
consent-offline = Mantener este acceso cuando usted no esté
consent-offline-detail = Termina { $days } días después del último uso, cuando usted quite la aplicación o cuando el hospital lo decida.
consent-offline-capped = Termina en { $days } días, cuando usted quite la aplicación o cuando el hospital lo decida.
consent-offline-both = Termina { $days } días después del último uso, y en { $most } días a más tardar. También termina cuando usted quite la aplicación o cuando el hospital lo decida.
consent-online = La aplicación mantiene este acceso hasta que usted salga de aquí o pase un rato fuera.
consent-brief = Este acceso termina diez minutos después de que lo dé. Luego la aplicación tiene que pedirlo otra vez.
consent-brief-else = Si no, este acceso termina diez minutos después de que lo dé.
consent-remembered = Su respuesta se guarda { $days } días. Hasta entonces solo se le pregunta otra vez si la aplicación quiere más.
consent-take-back = Puede quitarlo cuando quiera:
consent-asked-before = Usted ya respondió a esta aplicación. Ahora pregunta otra vez.
consent-untick = Quite la marca de lo que no quiera permitir.
consent-new = Nuevo
consent-how-parts = Quite esta marca para elegir partes.
consent-parts = O solo partes de ello
consent-technical = Nombres técnicos de estos permisos
consent-always = Se comparte siempre
consent-always-why = Esto va con la entrada y no se puede quitar.
consent-about = Sobre la aplicación
consent-attested = Quien la hace ha prometido seguir un código de conducta para aplicaciones de salud.
consent-not-attested = Quien la hace no ha prometido seguir un código de conducta para aplicaciones de salud.
consent-attested-unknown = Quien la hace no ha dicho si sigue un código de conducta para aplicaciones de salud.
consent-website = Su sitio web
consent-policy = Qué pasa con sus datos
consent-terms = Condiciones de uso
consent-of = de
consent-selected = marcadas
consent-allow = Dar acceso
consent-deny = Rechazar
consent-tick-something = Marque al menos una casilla, o pulse Rechazar.
consent-whole-and-parts = Usted marcó algo entero y también partes de ello. Aquí queda marcado entero. Quite esa marca para dar solo partes.
consent-too-many = Es más de lo que una aplicación puede recibir por partes. Marque menos casillas, o el conjunto.

## The page of a person's apps. An app's name stands before `apps-removed`.

apps-title = Sus aplicaciones
apps-lead = Usted dio acceso a estas aplicaciones. Puede quitarlo cuando quiera.
apps-removed = ya no tiene acceso. No puede volver a entrar sin preguntarle. Lo que tiene abierto se cierra en diez minutos.
apps-none = Ahora ninguna aplicación tiene acceso.
apps-since = Permitida desde
apps-last-used = Último uso
apps-not-used = Ahora no
apps-when = Cuándo puede mirar
apps-offline = También cuando usted no está
apps-online = Mientras esté dentro
apps-brief = Mientras la usa
apps-ends = Termina si no se usa
apps-remembered = Hasta entonces puede volver sin preguntarle.
apps-closed-record = Una historia que ahora no se puede ver
apps-remove = Quitar el acceso
apps-remove-what = La aplicación ya no podrá mirar esta historia. Lo que ha copiado se queda con ella: pida que lo borren.
apps-remove-yes = Sí, quitar el acceso

## The sign-in page. An app's name, or one of the two places, stands behind `login-to`.

login-title = Entrar
login-to = Entre para seguir a
login-to-launch-pad = el panel de aplicaciones
login-to-account = sus aplicaciones
login-username = Usuario
login-password = Contraseña
login-too-long = Es demasiado largo para un usuario y una contraseña.
login-wrong = El usuario o la contraseña no son correctos, o ha probado muchas veces. Espere unos segundos y pruebe otra vez.
login-for-another = El sistema de historias abrió esta aplicación para otro usuario, no para quien ha entrado aquí. Entre con el mismo usuario que allí.
login-nothing = Aquí no hay nada pendiente
login-nothing-what = Abra la aplicación que quiera usar. Ella le traerá aquí para entrar.

## The choice of a patient. An app's name stands behind `picker-opens-in`.

picker-title = Elija un paciente
picker-opens-in = La historia que elija se abre en
picker-nobody = No hay pacientes que usted pueda abrir. Pida que le pongan en un equipo de cuidados.
picker-no-match = No coincide ninguno de sus pacientes. Pruebe con el comienzo de un nombre, una fecha de nacimiento como 1984-03-09 o un número de historia.
picker-recent = Abiertos hace poco
picker-all = Todos sus pacientes
picker-emergency = Urgencia: abrir a un paciente fuera de su lista

## Emergency access. An app's name stands behind `emergency-lead`, the reason behind `emergency-compare`.

emergency-title = Acceso de urgencia
emergency-lead = Abra a un paciente fuera de su lista en
emergency-audited = Su nombre, la hora y su razón quedan en el registro de accesos.
emergency-who = ¿Quién es? Dé el número de historia entero, o el nombre y la fecha de nacimiento.
emergency-name = Nombre y apellidos
emergency-why = ¿Por qué necesita ahora esta historia?
emergency-why-hint = Una frase de { $count } letras o más.
emergency-find = Buscar al paciente
emergency-back = Volver a su lista
emergency-compare = Compare la fecha de nacimiento, el sexo y el número de historia. El acceso queda en el registro con su razón:
emergency-no-reason = Diga en una frase por qué necesita ahora esta historia.
emergency-too-long = Una de las respuestas es demasiado larga.
emergency-nobody-named = Dé el número de historia entero, o el nombre y la fecha de nacimiento.
emergency-nobody-found = Nadie coincide del todo con esto, o son más de { $count }. Mire si está bien escrito, o dé el número de historia.

## The choice of a visit. An app's name stands before `visit-wanted`. The states are those of FHIR.

visit-title = Elija una visita
visit-wanted = quiere saber de qué visita se trata.
visit-none = Aquí no hay visitas de este paciente. La aplicación puede seguir sin visita; entonces no sabrá de ninguna.
visit-list = Visitas
visit-unnamed = Visita
visit-began = Comienzo
visit-state = Estado
visit-state-planned = prevista
visit-state-arrived = ha llegado
visit-state-triaged = en espera
visit-state-in-progress = en curso
visit-state-onleave = con permiso
visit-state-finished = terminada
visit-state-cancelled = anulada
visit-state-unknown = no se sabe
visit-go-on = Seguir sin visita

## The launch pad.

launch-title = Panel de aplicaciones
launch-lead = Elija un paciente. En la página siguiente abre una aplicación para él.
launch-bases = Sistemas de historias
launch-nobody = Aquí no hay pacientes que usted pueda abrir. Pida que le pongan en un equipo de cuidados.
launch-no-match = No coincide ninguno de sus pacientes. Pruebe con parte de un nombre, una fecha de nacimiento como 1984-03-09 o el comienzo de un número de historia.
launch-open-app = Abrir una aplicación
launch-one-record = Se abre con la historia de este paciente y con ninguna otra.
launch-which-visit = ¿Para qué visita?
launch-no-visit = Ninguna en particular
launch-no-app = No hay ninguna aplicación que se pueda abrir desde aquí. Pida que den a alguna una dirección de inicio.
launch-apps = Aplicaciones
launch-at = En
launch-other-patient = Elegir otro paciente

## Signing out. The person's name stands behind `sign-out-who`.

sign-out-title = ¿Quiere salir?
sign-out-who = Ha entrado como
sign-out-stay = Para quedarse, cierre esta página o vuelva atrás.
signed-out-title = Fuera
signed-out-heading = Ha salido
signed-out-what = Ha salido. Puede cerrar esta página.

## The page that sends the answer to the app.

back-title = De vuelta a la aplicación
back-heading = Le llevamos de vuelta a la aplicación
back-help = Si no pasa nada, use el botón.
back-continue = Seguir a la aplicación

## The page that says what went wrong: a heading, what happened, what to do next.

error-reference = Referencia para pedir ayuda
error-code = Código del error
error-start-again = Vuelva a la aplicación y empiece otra vez desde allí.
error-app = Esta aplicación no puede darle entrada
    .advice = No se ha compartido nada. Avise a quien hace la aplicación; la referencia de abajo le ayuda a ver la causa.
error-client-missing = { error-app }
    .sentence = No dijo qué aplicación es (falta client_id).
    .advice = { error-app.advice }
error-client-unknown = { error-app }
    .sentence = No está registrada aquí (no se conoce client_id).
    .advice = { error-app.advice }
error-client-waits = { error-app }
    .sentence = Se ha registrado ella misma y falta que alguien de aquí lo apruebe.
    .advice = { error-app.advice }
error-redirect-missing = { error-app }
    .sentence = No dijo adónde ir después (falta redirect_uri).
    .advice = { error-app.advice }
error-redirect-unknown = { error-app }
    .sentence = Quiere ir a una dirección que no tiene registrada (redirect_uri no coincide).
    .advice = { error-app.advice }
error-parameter-twice = { error-app }
    .sentence = El parámetro { $name } vino dos veces.
    .advice = { error-app.advice }
error-parameter-malformed = { error-app }
    .sentence = El parámetro { $name } no está bien codificado.
    .advice = { error-app.advice }
error-form-type = { error-app }
    .sentence = El envío debe ser application/x-www-form-urlencoded.
    .advice = { error-app.advice }
error-form-too-large = { error-app }
    .sentence = El envío es demasiado grande.
    .advice = { error-app.advice }
error-form-too-many = { error-app }
    .sentence = Hay demasiados parámetros.
    .advice = { error-app.advice }
error-form-broke-off = { error-app }
    .sentence = El envío se cortó.
    .advice = { error-app.advice }
error-forged = No se puede aceptar este formulario
    .sentence = No viene de la página que mostramos en este navegador.
    .advice = { error-start-again }
error-no-flow = Esta entrada ha terminado
    .sentence = Pasó mucho rato, o la empezó en otro navegador.
    .advice = { error-start-again }
error-completed = Esta entrada ya está completa
    .sentence = La aplicación ya tiene su respuesta, y una entrada solo vale una vez.
    .advice = Vuelva a la aplicación. Para entrar otra vez, empiece desde allí.
error-not-found = Esta página no existe
    .sentence = La dirección no lleva a ningún sitio.
    .advice = Abra la aplicación que quiera usar; ella le traerá aquí para entrar.
error-tries = Demasiadas entradas fallidas
    .sentence = Han fallado varias entradas desde su red.
    .advice = Espere un rato. Después vuelva a la aplicación y pruebe otra vez.
error-failed = Algo ha fallado
    .sentence = No pudimos hacerlo. No es culpa suya.
    .advice = Espere un momento. Después vuelva a la aplicación y pruebe otra vez.
error-internal = { error-failed }
    .sentence = { error-failed.sentence }
    .advice = { error-start-again }
error-directory = No se puede buscar a los pacientes
    .sentence = El sistema de historias no responde en este momento.
    .advice = Espere un momento y cargue otra vez esta página: puede seguir desde aquí.
error-too-large = El formulario es demasiado grande
    .sentence = El navegador envió más de lo que leemos.
    .advice = { error-start-again }
error-method = Esta página no se usa así
    .sentence = El navegador la pidió de un modo que ella no conoce.
    .advice = { error-start-again }
error-address-too-long = La dirección es demasiado larga
    .sentence = La aplicación envió más de lo que leemos.
    .advice = { error-start-again }
error-headers = El navegador envió demasiado
    .sentence = Sus cookies son demasiado grandes.
    .advice = { error-start-again }
error-host = Esta no es la dirección correcta
    .sentence = Este servidor no responde a ese nombre.
    .advice = { error-start-again }
error-busy = Ahora no podemos hacerlo
    .sentence = Hay demasiado que hacer, o algo no funciona.
    .advice = { error-start-again }
error-nothing-to-share = No hay nada que pueda compartir con esta aplicación
    .sentence = Pide cosas que su cuenta no tiene derecho a dar.
    .advice = Vuelva a la aplicación o entre con otra cuenta.
error-closed-patient = No puede abrir a este paciente
    .sentence = Este paciente no es uno de los suyos.
    .advice = Vuelva atrás y elija un paciente de la lista.
error-emergency = { error-closed-patient }
    .sentence = El acceso de urgencia es para médicos y enfermeras, donde el hospital lo permite, y solo para el paciente que nombran.
    .advice = Vuelva atrás y elija un paciente de su lista.
error-visit = No se puede elegir esta visita
    .sentence = No es una visita de este paciente.
    .advice = Vuelva atrás y elija una visita de la lista.
error-not-clinician = El panel de aplicaciones es para quien trata a pacientes
    .sentence = Su cuenta no es la de alguien que trata a pacientes.
    .advice = Abra la aplicación que quiera usar por su propia dirección; ella le traerá aquí para entrar.
