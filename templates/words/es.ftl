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
