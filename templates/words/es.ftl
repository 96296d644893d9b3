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
page-signed-in-as = Ha entrado como
page-switch-user = ¿No es usted? Cambiar de usuario
page-sign-out = Salir
page-made-by = Hecha por
page-own-record = Su propia historia
page-whose-record = De quién es la historia
page-what-it-may-do = Qué puede hacer

## The consent page. An app's name stands before `consent-asks`, names behind the words that end in "by" and "to".

consent-asks = pide acceso
consent-back-to = Después vuelve a
consent-verified-by = Comprobada por
consent-not-verified-by = No comprobada por
consent-careful = Dé acceso solo si la conoce y usted quiso abrirla.
consent-patient = Paciente
consent-birth-date = Fecha de nacimiento
consent-age = Edad
consent-sex = Sexo
consent-mrn = N.º de historia
consent-female = mujer
consent-male = hombre
consent-other = otro
consent-not-known = no se sabe
consent-years = { $count } años
consent-months = { $count } meses
consent-days = { $count } días
consent-emergency = Acceso de urgencia, fuera de su lista.
consent-emergency-reason = Su razón:
consent-group-own = En su propia historia
consent-how-long = Por cuánto tiempo
consent-offline = Mantener este acceso cuando usted no esté
consent-offline-detail = Termina { $days } días después del último uso, cuando usted quite la aplicación o cuando el hospital lo decida.
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
